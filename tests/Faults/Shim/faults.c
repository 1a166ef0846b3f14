// Stands between a process and the C library: counts the operations that change what outlives the process, and kills it, fails
// one of them, or turns the wall clock at a given one. Told by the environment:
//   FAULTS_UNDER      only files below this folder count, and everything that is sent to a socket
//   FAULTS_BOOK       a file of counters, shared with the test: operations, syncs, writes, sends, failures
//   FAULTS_LOG        a line for each operation: its name, its file, its error
//   FAULTS_KILL_AT    SIGKILL before the N-th operation; with FAULTS_TEAR, after half of its bytes
//   FAULTS_FAIL       sync:K:ERRNO or write:K:ERRNO fails the K-th one, sync*:K:ERRNO and write*:K:ERRNO every one from there
//   FAULTS_FAIL_FILE  only operations on files whose path ends so count for FAULTS_FAIL
//   FAULTS_SHADOW     a folder that holds of each file what its last sync made durable: what is left when the power goes
//   FAULTS_CLOCK      jump:SENDS:SECONDS, set:SENDS:SECONDS or freeze:SENDS:0: what the wall clock does after so many sends
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct book { _Atomic uint64_t operations, syncs, writes, sends, failures; };

static struct book own, *book = &own;
static const char *under, *fail_file, *shadow;
static uint64_t kill_at, fail_at, clock_after;
static int tear, fail_kind, fail_always, fail_errno, log_fd = -1;
static char clock_mode;
static long clock_seconds;
static _Atomic uint64_t failable;
static _Atomic int clock_turned;
static struct timespec clock_real, clock_steady;

__attribute__((constructor)) static void begin(void) {
    const char *text;
    under = getenv("FAULTS_UNDER");
    fail_file = getenv("FAULTS_FAIL_FILE");
    tear = getenv("FAULTS_TEAR") != NULL;
    shadow = getenv("FAULTS_SHADOW");
    if ((text = getenv("FAULTS_KILL_AT"))) kill_at = strtoull(text, NULL, 10);
    if ((text = getenv("FAULTS_BOOK"))) {
        int fd = syscall(SYS_openat, AT_FDCWD, text, O_RDWR, 0);
        void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) _exit(99);
        book = map;
    }
    if ((text = getenv("FAULTS_LOG"))) log_fd = syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if ((text = getenv("FAULTS_FAIL"))) {
        fail_kind = text[0];
        fail_always = strchr(text, '*') != NULL;
        sscanf(strchr(text, ':') + 1, "%lu:%d", &fail_at, &fail_errno);
    }
    if ((text = getenv("FAULTS_CLOCK"))) {
        clock_mode = text[0];
        sscanf(strchr(text, ':') + 1, "%lu:%ld", &clock_after, &clock_seconds);
    }
}

static int counts(const char *path) { return under && strncmp(path, under, strlen(under)) == 0; }

static int path_of(int fd, char *path, size_t size) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static void tell(const char *name, const char *path, int error) {
    char line[600];
    if (log_fd < 0) return;
    int length = snprintf(line, sizeof line, "%s %s %d\n", name, path, error);
    syscall(SYS_write, log_fd, line, length);
}

static int dies(void) { return atomic_fetch_add(&book->operations, 1) + 1 == kill_at; }

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

// The error that the operation is to fail with; 0 for none.
static int fails(int kind, const char *path) {
    size_t length = strlen(path), end = fail_file ? strlen(fail_file) : 0;
    if (fail_kind != kind || (fail_file && (length < end || strcmp(path + length - end, fail_file) != 0))) return 0;
    uint64_t at = atomic_fetch_add(&failable, 1) + 1;
    if (at != fail_at && !(fail_always && at > fail_at)) return 0;
    atomic_fetch_add(&book->failures, 1);
    return fail_errno;
}

static void *find(void *library, const char *name) {
    static void *(*real)(void *, const char *);
    if (!real) real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (!real) real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    if (!real) real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.17");
    return real(library, name);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = (type (*)(__VA_ARGS__))find(RTLD_NEXT, name)

#define ON_PATH(name, path, call) \
    if (!counts(path)) return call; \
    if (dies()) die(); \
    int result = call; \
    tell(name, path, result < 0 ? errno : 0); \
    return result;

// A write, in whole or, before a torn death, in half.
#define WRITING(fd, size, call, half) \
    char path[512]; \
    if (!path_of(fd, path, sizeof path) || !counts(path)) { \
        if (strncmp(path, "socket:", 7) == 0) { atomic_fetch_add(&book->sends, 1); if (dies()) die(); } \
        return call; \
    } \
    atomic_fetch_add(&book->writes, 1); \
    if (dies()) { if (tear) half; die(); } \
    int error = fails('w', path); \
    if (error) { tell("write", path, error); errno = error; return -1; } \
    ssize_t result = call; \
    tell("write", path, result < 0 ? errno : 0); \
    return result;

ssize_t write(int fd, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    WRITING(fd, size, real(fd, bytes, size), real(fd, bytes, size / 2))
}

static ssize_t write_at(ssize_t (*real)(int, const void *, size_t, off_t), int fd, const void *bytes, size_t size, off_t at) {
    WRITING(fd, size, real(fd, bytes, size, at), real(fd, bytes, size / 2, at))
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return write_at(real, fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    return write_at(real, fd, bytes, size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    WRITING(fd, 0, real(fd, parts, count), real(fd, parts, count / 2))
}

// Copies a file as it was just synced; whoever dies in the middle leaves the copy of the sync before.
static void keep(int fd, const char *path) {
    char part[600], whole[600], bytes[65536];
    const char *name = strrchr(path, '/');
    struct stat about;
    if (!shadow || !name || fstat(fd, &about) != 0) return;
    if (S_ISDIR(about.st_mode)) { // what is no longer in the folder is gone for good now
        DIR *folder = opendir(shadow);
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
            snprintf(whole, sizeof whole, "%s/%s", path, entry->d_name);
            if (entry->d_name[0] != '.' && access(whole, F_OK) != 0) syscall(SYS_unlinkat, dirfd(folder), entry->d_name, 0);
        }
        if (folder) closedir(folder);
        return;
    }
    if (!S_ISREG(about.st_mode)) return;
    snprintf(whole, sizeof whole, "%s%s", shadow, name);
    snprintf(part, sizeof part, "%s%s.part", shadow, name);
    int copy = syscall(SYS_openat, AT_FDCWD, part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t length;
    for (off_t at = 0; (length = syscall(SYS_pread64, fd, bytes, sizeof bytes, at)) > 0; at += length)
        if (syscall(SYS_write, copy, bytes, length) != length) _exit(98);
    syscall(SYS_close, copy);
    syscall(SYS_renameat2, AT_FDCWD, part, AT_FDCWD, whole, 0);
}

static int sync_with(int (*real)(int), const char *name, int fd) {
    char path[512];
    if (!path_of(fd, path, sizeof path) || !counts(path)) return real(fd);
    atomic_fetch_add(&book->syncs, 1);
    if (dies()) die();
    int error = fails('s', path);
    int result = error ? -1 : real(fd);
    if (!error && result < 0) error = errno;
    if (!error) keep(fd, path);
    tell(name, path, error);
    errno = error;
    return result;
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return sync_with(real, "fsync", fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return sync_with(real, "fdatasync", fd);
}

int ftruncate(int fd, off_t length) {
    REAL(int, "ftruncate", int, off_t);
    char path[512];
    if (!path_of(fd, path, sizeof path)) return real(fd, length);
    ON_PATH("ftruncate", path, real(fd, length))
}

int ftruncate64(int fd, off_t length) {
    REAL(int, "ftruncate64", int, off_t);
    char path[512];
    if (!path_of(fd, path, sizeof path)) return real(fd, length);
    ON_PATH("ftruncate", path, real(fd, length))
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    ON_PATH("unlink", path, real(path))
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    ON_PATH("rename", to, real(from, to))
}

int link(const char *from, const char *to) {
    REAL(int, "link", const char *, const char *);
    ON_PATH("link", to, real(from, to))
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t);
    ON_PATH("mkdir", path, real(path, mode))
}

#define OPENING(name) \
    REAL(int, name, const char *, int, ...); \
    mode_t mode = 0; \
    if (flags & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
    if (!(flags & O_CREAT)) return real(path, flags, mode); \
    ON_PATH("create", path, real(path, flags, mode))

int open(const char *path, int flags, ...) { OPENING("open") }

int open64(const char *path, int flags, ...) { OPENING("open64") }

static void sending(void) {
    atomic_fetch_add(&book->sends, 1);
    if (dies()) die();
}

ssize_t send(int fd, const void *bytes, size_t size, int flags) {
    REAL(ssize_t, "send", int, const void *, size_t, int);
    sending();
    return real(fd, bytes, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    REAL(ssize_t, "sendmsg", int, const struct msghdr *, int);
    sending();
    return real(fd, message, flags);
}

static int turned(struct timespec *now) {
    if (!clock_mode || atomic_load(&book->sends) < clock_after) return 0;
    struct timespec steady;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &steady);
    if (!atomic_exchange(&clock_turned, 1)) {
        clock_real = *now;
        clock_steady = steady;
    }
    if (clock_mode == 'j') now->tv_sec += clock_seconds;
    else if (clock_mode == 's') now->tv_sec = clock_seconds + (steady.tv_sec - clock_steady.tv_sec);
    else *now = clock_real;
    return 1;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) turned(now);
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec time;
    (void)zone;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &time);
    turned(&time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec time;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &time);
    turned(&time);
    if (now) *now = time.tv_sec;
    return time.tv_sec;
}

// A call through P/Invoke is looked up in the C library itself, past this one.
void *dlsym(void *library, const char *name) {
    static const struct { const char *name; void *ours; } calls[] = {
        {"write", write}, {"pwrite", pwrite}, {"pwrite64", pwrite64}, {"writev", writev}, {"fsync", fsync}, {"fdatasync", fdatasync}, {"ftruncate", ftruncate},
        {"unlink", unlink}, {"rename", rename}, {"link", link}, {"mkdir", mkdir}, {"open", open}, {"open64", open64}, {"send", send}, {"sendmsg", sendmsg},
    };
    void *found = find(library, name);
    if (found && library != RTLD_NEXT)
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            if (strcmp(name, calls[i].name) == 0) return calls[i].ours;
    return found;
}
