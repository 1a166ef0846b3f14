using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator.Reports;

namespace MixpanelConnector.Emulator.Store;

sealed record Organization(int Id, string Name);

/// <param name="Id">Its id.</param>
/// <param name="OrganizationId">Its organization.</param>
/// <param name="Name">Its name.</param>
/// <param name="Token">The token for tracking.</param>
/// <param name="Secret">The secret for reading and importing without an account.</param>
/// <param name="TimeZone">The time zone of its reports.</param>
/// <param name="Identity">How it resolves identities.</param>
/// <param name="Region">The region of its hosts: <c>us</c>, <c>eu</c> or <c>in</c>; null for all.</param>
sealed record Project(int Id, int OrganizationId, string Name, string Token, string Secret, string TimeZone, IdentityManagement Identity, string? Region = null)
{
    /// <summary>Whether the hosts of a region serve it; null for an address that is not a host of Mixpanel's.</summary>
    public bool IsKnownIn(string? region) => region is null || Region is null || Region == region;

    /// <summary>Days and hours in the project's time zone.</summary>
    public Calendar Calendar { get; } = new(TimeZoneInfo.FindSystemTimeZoneById(TimeZone));
}

/// <summary>The settings of a new project; see <see cref="Project"/>.</summary>
sealed record ProjectSettings(string Name, string Token, string Secret, string TimeZone, IdentityManagement Identity, string? Region);

sealed record ServiceAccount(
    int Id, int OrganizationId, string Username, string SecretHash, string OrganizationRole, int CreatorId,
    DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt);

sealed record ProjectMember(int ProjectId, int AccountId, string Role);

/// <summary>
/// Organizations, projects, service accounts and their permissions. All of it is small and needed by every request, so it is cached in memory; each change is
/// written to the database first.
/// </summary>
sealed class Accounts
{
    /// <summary>The precision of <c>last_used</c>, as a write to disk for every request would not be worthwhile.</summary>
    static readonly TimeSpan LastUsedPrecision = TimeSpan.FromMinutes(1);

    /// <summary>The hash that an unknown user's secret is compared with, so that it takes the same path as a wrong secret.</summary>
    static readonly string NobodysHash = Hash("");

    readonly Database _database;
    readonly TimeProvider _time;
    readonly IdentityManagement _identity;
    readonly SerialExecutor _changes = new();
    volatile State _state = new([], [], [], ImmutableDictionary.Create<string, ServiceAccount>(StringComparer.Ordinal));

    Accounts(Database database, TimeProvider time, IdentityManagement identity)
    {
        _database = database;
        _time = time;
        _identity = identity;
    }

    /// <summary>How new projects resolve identities.</summary>
    public IdentityManagement Identity => _identity;

    public ImmutableArray<Organization> Organizations => _state.Organizations;

    public ImmutableArray<Project> Projects => _state.Projects;

    public ImmutableArray<ProjectMember> Members => _state.Members;

    public IEnumerable<ServiceAccount> All => _state.Accounts.Values.OrderBy(account => account.Id);

    /// <param name="database">The database that stores them.</param>
    /// <param name="time">The clock for the expiry of accounts.</param>
    /// <param name="identity">How the first project resolves identities, if it is created here.</param>
    /// <param name="cancellationToken">Cancels loading.</param>
    public static async Task<Accounts> LoadAsync(Database database, TimeProvider time, IdentityManagement identity, CancellationToken cancellationToken)
    {
        var accounts = new Accounts(database, time, identity);
        await accounts.ChangeAsync(
            connection =>
            {
                var known = Read(connection);
                if (known.Organizations.IsEmpty)
                    accounts.CreateDevelopmentWorld(connection);
                else if (known.Accounts.Values.All(account => account.Username != DevelopmentCredentials.ServiceAccountUsername))
                    accounts.CreateDevelopmentOwner(connection); // it was deleted: without it nobody could sign in any more
                foreach (var project in known.Projects.Where(project => project.Secret == "")) // from an earlier version, which had no secrets
                    connection.Execute("UPDATE projects SET secret = $secret WHERE project_id = $id", ("id", project.Id), ("secret", SecretFor(project.Id)));
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        return accounts;
    }

    /// <param name="token">The token.</param>
    /// <param name="region">The requested region; null for any.</param>
    public Project? ProjectOfToken(string token, string? region = null) =>
        _state.ByToken.GetValueOrDefault(token) is { } project && project.IsKnownIn(region) ? project : null;

    /// <param name="secret">The secret.</param>
    /// <param name="region">The requested region; null for any.</param>
    public Project? ProjectOfSecret(string secret, string? region = null) =>
        Projects.FirstOrDefault(project => project.IsKnownIn(region)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(project.Secret), Encoding.UTF8.GetBytes(secret)));

    /// <summary>Returns the account with this name and secret, unless it has expired.</summary>
    public async Task<ServiceAccount?> AuthenticateAsync(string username, string secret, CancellationToken cancellationToken)
    {
        var account = _state.Accounts.GetValueOrDefault(username);
        var matches = CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(Hash(secret)), Encoding.ASCII.GetBytes(account?.SecretHash ?? NobodysHash));
        var now = _time.GetUtcNow();
        if (!matches || account is null || account.ExpiresAt <= now) return null;
        if (account.LastUsedAt is null || now - account.LastUsedAt >= LastUsedPrecision)
        {
            await ChangeAsync(
                connection => connection.Execute(
                    "UPDATE service_accounts SET last_used_at = $now WHERE service_account_id = $id", ("now", now.UtcDateTime), ("id", account.Id)),
                cancellationToken).ConfigureAwait(false);
        }
        return account;
    }

    /// <summary>The account's role in a project: that of its membership, otherwise that of an organization's owner or admin; null for no access.</summary>
    public string? RoleIn(ServiceAccount account, Project project)
    {
        if (account.OrganizationId != project.OrganizationId) return null;
        var member = Members.FirstOrDefault(member => member.AccountId == account.Id && member.ProjectId == project.Id);
        return member?.Role ?? (Roles.Manages(account.OrganizationRole) ? account.OrganizationRole : null);
    }

    /// <summary>Creates an account; null if the username is in use.</summary>
    public async Task<(ServiceAccount Account, string Secret)?> CreateAsync(
        ServiceAccount creator, string username, string role, DateTimeOffset? expires, IReadOnlyList<(int ProjectId, string Role)> projects,
        CancellationToken cancellationToken)
    {
        var secret = RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 32); // 190 bits
        var id = await ChangeAsync(
            connection =>
            {
                if (_state.Accounts.ContainsKey(username)) return 0;
                var id = Insert(connection, creator.OrganizationId, username, secret, role, creator.Id, expires);
                foreach (var (project, projectRole) in projects)
                    SetMember(connection, project, id, projectRole);
                return id;
            },
            cancellationToken).ConfigureAwait(false);
        return id == 0 ? null : (_state.Accounts[username], secret);
    }

    /// <summary>Creates a project, which its creator owns; null if the token or the secret belongs to another project.</summary>
    /// <param name="creator">The owner.</param>
    /// <param name="settings">Everything but the organization; an empty token or secret keeps the existing one, or creates a new one.</param>
    /// <param name="id">Its id; null for the next one. An existing project with that id gets the settings, and keeps its data.</param>
    /// <param name="cancellationToken">Cancels before it is created.</param>
    public async Task<Project?> PutProjectAsync(ServiceAccount creator, ProjectSettings settings, int? id, CancellationToken cancellationToken)
    {
        var made = await ChangeAsync(
            connection =>
            {
                var number = id ?? Projects.Max(project => project.Id) + 1;
                var before = Projects.FirstOrDefault(project => project.Id == number);
                var token = settings.Token != "" ? settings.Token : before?.Token ?? RandomNumberGenerator.GetHexString(32, lowercase: true);
                var secret = settings.Secret != "" ? settings.Secret : before?.Secret ?? SecretFor(number);
                if (Projects.Any(project => project.Id != number && (project.Token == token || project.Secret == secret))) return 0;
                connection.Execute("DELETE FROM projects WHERE project_id = $id", ("id", number));
                Insert(connection,
                    new Project(number, creator.OrganizationId, settings.Name, token, secret, settings.TimeZone, settings.Identity, settings.Region));
                SetMember(connection, number, creator.Id, Roles.Owner);
                return number;
            },
            cancellationToken).ConfigureAwait(false);
        return Projects.FirstOrDefault(project => project.Id == made);
    }

    /// <summary>Creates an account with a predefined secret; replaces one of the same name.</summary>
    public async Task<ServiceAccount> PutAccountAsync(
        ServiceAccount creator, string username, string secret, string role, DateTimeOffset? expires, IReadOnlyList<(int ProjectId, string Role)> projects,
        CancellationToken cancellationToken)
    {
        await ChangeAsync(
            connection =>
            {
                if (_state.Accounts.GetValueOrDefault(username) is { } before) Delete(connection, before.Id);
                var id = Insert(connection, creator.OrganizationId, username, secret, role, creator.Id, expires);
                foreach (var (project, projectRole) in projects)
                    SetMember(connection, project, id, projectRole);
                return id;
            },
            cancellationToken).ConfigureAwait(false);
        return _state.Accounts[username];
    }

    public Task DeleteAsync(int accountId, CancellationToken cancellationToken) => ChangeAsync(connection => Delete(connection, accountId), cancellationToken);

    public Task SetMembersAsync(IReadOnlyList<ProjectMember> members, CancellationToken cancellationToken) => ChangeAsync(
        connection =>
        {
            foreach (var member in members)
                SetMember(connection, member.ProjectId, member.AccountId, member.Role);
            return true;
        },
        cancellationToken);

    public Task RemoveMembersAsync(IReadOnlyList<(int ProjectId, int AccountId)> members, CancellationToken cancellationToken) => ChangeAsync(
        connection =>
        {
            foreach (var (project, account) in members)
                RemoveMember(connection, project, account);
            return true;
        },
        cancellationToken);

    /// <summary>The first project's secret is fixed, so that a test can be written before anything runs.</summary>
    static string SecretFor(int projectId) =>
        projectId == DevelopmentCredentials.ProjectId ? DevelopmentCredentials.ProjectSecret : RandomNumberGenerator.GetHexString(32, lowercase: true);

    static string Hash(string secret) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    static int Delete(DuckDBConnection connection, int accountId)
    {
        connection.Execute("DELETE FROM project_members WHERE service_account_id = $id", ("id", accountId));
        return connection.Execute("DELETE FROM service_accounts WHERE service_account_id = $id", ("id", accountId));
    }

    static void SetMember(DuckDBConnection connection, int project, int account, string role)
    {
        RemoveMember(connection, project, account);
        connection.Execute("INSERT INTO project_members VALUES ($project, $account, $role)", ("project", project), ("account", account), ("role", role));
    }

    static void RemoveMember(DuckDBConnection connection, int project, int account) => connection.Execute(
        "DELETE FROM project_members WHERE project_id = $project AND service_account_id = $account", ("project", project), ("account", account));

    static void Insert(DuckDBConnection connection, Project project) => connection.Execute(
        "INSERT INTO projects (project_id, organization_id, name, token, secret, timezone, identity_management, region) VALUES ($id, $organization, $name, "
        + "$token, $secret, $timezone, $identity, $region)",
        ("id", project.Id), ("organization", project.OrganizationId), ("name", project.Name), ("token", project.Token), ("secret", project.Secret),
        ("timezone", project.TimeZone), ("identity", project.Identity == IdentityManagement.Simplified ? "simplified" : "original"),
        ("region", project.Region));

    int Insert(DuckDBConnection connection, int organization, string username, string secret, string role, int creator, DateTimeOffset? expires)
    {
        using var command = connection.Command(
            """
            INSERT INTO service_accounts
            VALUES (nextval('service_account_ids'), $organization, $username, $hash, $role, $creator, $created, $expires, NULL)
            RETURNING service_account_id
            """,
            ("organization", organization), ("username", username), ("hash", Hash(secret)), ("role", role), ("creator", creator),
            ("created", _time.GetUtcNow().UtcDateTime), ("expires", expires?.UtcDateTime));
        return (int)command.ExecuteScalar()!;
    }

    void CreateDevelopmentOwner(DuckDBConnection connection)
    {
        var owner = Insert(
            connection, DevelopmentCredentials.OrganizationId, DevelopmentCredentials.ServiceAccountUsername,
            DevelopmentCredentials.ServiceAccountSecret, Roles.Owner, creator: 1, expires: null);
        SetMember(connection, DevelopmentCredentials.ProjectId, owner, Roles.Owner);
    }

    /// <summary>Creates the initial organization, project and credentials of every store.</summary>
    public void CreateDevelopmentWorld(DuckDBConnection connection)
    {
        connection.Execute("INSERT INTO organizations VALUES ($id, 'Local')", ("id", DevelopmentCredentials.OrganizationId));
        Insert(connection, new Project(
            DevelopmentCredentials.ProjectId, DevelopmentCredentials.OrganizationId, "Local", DevelopmentCredentials.ProjectToken,
            DevelopmentCredentials.ProjectSecret, "UTC", _identity));
        CreateDevelopmentOwner(connection);
    }

    /// <summary>Executes a change, and makes it visible once it is committed.</summary>
    public Task<T> ChangeAsync<T>(Func<DuckDBConnection, T> change, CancellationToken cancellationToken) => _changes.RunAsync(async () =>
    {
        var (result, state) = await _database.WriteAsync(connection => (change(connection), Read(connection)), cancellationToken).ConfigureAwait(false);
        _state = state;
        return result;
    });

    static State Read(DuckDBConnection connection)
    {
        var organizations = Rows(connection, "SELECT organization_id, name FROM organizations ORDER BY 1",
            row => new Organization(row.GetInt32(0), row.GetString(1)));
        var projects =
            Rows(connection, "SELECT project_id, organization_id, name, token, secret, timezone, identity_management, region FROM projects ORDER BY 1",
            row => new Project(
                row.GetInt32(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? "" : row.GetString(4), row.GetString(5),
                row.GetString(6) == "original" ? IdentityManagement.Original : IdentityManagement.Simplified,
                row.IsDBNull(7) ? null : row.GetString(7)));
        var members = Rows(connection, "SELECT project_id, service_account_id, role FROM project_members ORDER BY 1, 2",
            row => new ProjectMember(row.GetInt32(0), row.GetInt32(1), row.GetString(2)));
        var accounts = Rows(connection,
            """
            SELECT service_account_id, organization_id, username, secret_sha256, organization_role, creator_id, created_at, expires_at, last_used_at
            FROM service_accounts
            """,
            row => new ServiceAccount(
                row.GetInt32(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetInt32(5),
                row.GetTime(6), row.IsDBNull(7) ? null : row.GetTime(7), row.IsDBNull(8) ? null : row.GetTime(8)))
            .ToImmutableDictionary(account => account.Username, StringComparer.Ordinal);
        return new State(organizations, projects, members, accounts);
    }

    /// <summary>A consistent state as of one commit.</summary>
    sealed record State(
        ImmutableArray<Organization> Organizations, ImmutableArray<Project> Projects, ImmutableArray<ProjectMember> Members,
        ImmutableDictionary<string, ServiceAccount> Accounts)
    {
        /// <summary>Used for each tracked record.</summary>
        public FrozenDictionary<string, Project> ByToken { get; } = Projects.ToFrozenDictionary(project => project.Token, StringComparer.Ordinal);
    }

    static ImmutableArray<T> Rows<T>(DuckDBConnection connection, string sql, Func<DuckDBDataReader, T> read)
    {
        using var command = connection.Command(sql);
        using var rows = command.ExecuteReader();
        var result = ImmutableArray.CreateBuilder<T>();
        while (rows.Read())
            result.Add(read(rows));
        return result.DrainToImmutable();
    }
}
