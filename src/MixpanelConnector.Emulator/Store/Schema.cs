namespace MixpanelConnector.Emulator.Store;

/// <summary>The tables. Events are only ever appended; Mixpanel's reports see <c>deduplicated_events</c>.</summary>
static class Schema
{
    public const string Text =
        """
        SET autoinstall_known_extensions = false;
        SET autoload_known_extensions = false;
        -- Each request works on its own thread: beside a pool of threads, it would burn a core while it waits for them.
        SET threads = 1;
        -- Each checkpoint compresses the last 122,880 events anew, so there should not be one for every 16 MB of events.
        SET checkpoint_threshold = '64MB';

        -- Tells this store from another that was made later in its place.
        CREATE TABLE IF NOT EXISTS store (
            id VARCHAR NOT NULL
        );
        INSERT INTO store SELECT uuid()::VARCHAR WHERE NOT EXISTS (SELECT 1 FROM store);

        CREATE TABLE IF NOT EXISTS organizations (
            organization_id INTEGER NOT NULL,
            name VARCHAR NOT NULL
        );

        CREATE TABLE IF NOT EXISTS projects (
            project_id INTEGER NOT NULL,
            organization_id INTEGER NOT NULL,
            name VARCHAR NOT NULL,
            token VARCHAR NOT NULL
        );
        -- Databases of earlier versions lack these.
        ALTER TABLE projects ADD COLUMN IF NOT EXISTS timezone VARCHAR DEFAULT 'UTC';
        ALTER TABLE projects ADD COLUMN IF NOT EXISTS identity_management VARCHAR DEFAULT 'simplified';
        ALTER TABLE projects ADD COLUMN IF NOT EXISTS secret VARCHAR;
        ALTER TABLE projects ADD COLUMN IF NOT EXISTS region VARCHAR;

        CREATE TABLE IF NOT EXISTS service_accounts (
            service_account_id INTEGER NOT NULL,
            organization_id INTEGER NOT NULL,
            username VARCHAR NOT NULL,
            secret_sha256 VARCHAR NOT NULL,
            organization_role VARCHAR NOT NULL,
            creator_id INTEGER NOT NULL,
            created_at TIMESTAMP_MS NOT NULL,
            expires_at TIMESTAMP_MS,
            last_used_at TIMESTAMP_MS
        );

        -- An account's id is never used again.
        CREATE SEQUENCE IF NOT EXISTS service_account_ids;

        CREATE TABLE IF NOT EXISTS project_members (
            project_id INTEGER NOT NULL,
            service_account_id INTEGER NOT NULL,
            role VARCHAR NOT NULL
        );

        CREATE TABLE IF NOT EXISTS events (
            sequence BIGINT NOT NULL,
            project_id INTEGER NOT NULL,
            event_name VARCHAR NOT NULL,
            time TIMESTAMP_MS NOT NULL,
            distinct_id VARCHAR NOT NULL,
            insert_id VARCHAR NOT NULL,
            -- To compress it would take as much of the processor as all else that is done to store an event.
            properties VARCHAR NOT NULL USING COMPRESSION uncompressed,
            received_at TIMESTAMP_MS NOT NULL
        );

        CREATE VIEW IF NOT EXISTS deduplicated_events AS
            SELECT * FROM events
            QUALIFY row_number() OVER (PARTITION BY project_id, event_name, time, distinct_id, insert_id ORDER BY sequence DESC) = 1;

        -- Which ids are the same user. Each row is final but for the canonical id, which changes when two users are merged.
        CREATE TABLE IF NOT EXISTS identities (
            project_id INTEGER NOT NULL,
            distinct_id VARCHAR NOT NULL,
            canonical_distinct_id VARCHAR NOT NULL
        );

        -- What is kept as it was sent: annotations, tags, schemas, feature flags, experiments, funnels, cohorts, reports, GDPR requests.
        CREATE TABLE IF NOT EXISTS documents (
            project_id INTEGER NOT NULL,
            kind VARCHAR NOT NULL,
            document_id VARCHAR NOT NULL,
            content VARCHAR NOT NULL
        );

        -- A document's number is never used again.
        CREATE SEQUENCE IF NOT EXISTS document_ids;

        -- The group key of a user profile is empty. No key constraint: the one writer replaces rows itself, several times faster.
        CREATE TABLE IF NOT EXISTS profiles (
            project_id INTEGER NOT NULL,
            group_key VARCHAR NOT NULL,
            id VARCHAR NOT NULL,
            properties VARCHAR NOT NULL
        );

        -- What the latest profile queries found, for their further pages; the ids as a JSON array of texts.
        CREATE TABLE IF NOT EXISTS query_sessions (
            number BIGINT NOT NULL,
            session_id VARCHAR NOT NULL,
            project_id INTEGER NOT NULL,
            group_key VARCHAR NOT NULL,
            page_size INTEGER NOT NULL,
            profile_ids VARCHAR NOT NULL
        );
        -- Hashes of the parameters, as a JSON object. Databases of earlier versions lack it.
        ALTER TABLE query_sessions ADD COLUMN IF NOT EXISTS parameters VARCHAR;

        CREATE SEQUENCE IF NOT EXISTS query_session_numbers;

        CREATE TABLE IF NOT EXISTS lookup_tables (
            project_id INTEGER NOT NULL,
            id VARCHAR NOT NULL,
            name VARCHAR NOT NULL,
            csv VARCHAR NOT NULL
        );
        """;
}
