using System.Globalization;
using System.Text.Json.Nodes;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

/// <summary>A stored document with its content. The id is text that may be a number.</summary>
sealed record Document(string Id, JsonObject Content);

/// <summary>Stores documents as they were sent: annotations, schemas, feature flags, funnels and others, by project and kind.</summary>
sealed class DocumentStore(Database database)
{
    /// <summary>Returns all documents of a kind, oldest first if ids are numbers.</summary>
    public IReadOnlyList<Document> List(int projectId, string kind)
    {
        using var connection = database.Connect();
        return List(connection, projectId, kind);
    }

    public Document? Find(int projectId, string kind, string id)
    {
        using var connection = database.Connect();
        using var query = connection.Command(
            "SELECT content FROM documents WHERE project_id = $project AND kind = $kind AND document_id = $id", ("project", projectId), ("kind", kind),
            ("id", id));
        return query.ExecuteScalar() is string content ? new Document(id, ProfileText.Read(content)) : null;
    }

    /// <summary>Stores a new document with the next number as its id.</summary>
    /// <param name="projectId">The project.</param>
    /// <param name="kind">The kind.</param>
    /// <param name="make">Creates the content for the number.</param>
    /// <param name="cancellationToken">Cancels before storing.</param>
    public Task<Document> AddAsync(int projectId, string kind, Func<int, JsonObject> make, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            using var next = connection.Command("SELECT nextval('document_ids')");
            var number = (int)(long)next.ExecuteScalar()!;
            var document = new Document(number.ToString(CultureInfo.InvariantCulture), make(number));
            Insert(connection, projectId, kind, document);
            return document;
        },
        cancellationToken);

    /// <summary>Reads and replaces documents in one transaction.</summary>
    /// <param name="projectId">The project.</param>
    /// <param name="kind">The kind.</param>
    /// <param name="change">Receives all documents of the kind by id, and adds, replaces and removes them.</param>
    /// <param name="cancellationToken">Cancels before the transaction.</param>
    public Task<T> ChangeAsync<T>(int projectId, string kind, Func<Dictionary<string, JsonObject>, T> change, CancellationToken cancellationToken) =>
        database.WriteAsync(
        connection =>
        {
            var before = List(connection, projectId, kind);
            var texts = before.ToDictionary(document => document.Id, document => ProfileText.Write(document.Content), StringComparer.Ordinal);
            var documents = before.ToDictionary(document => document.Id, document => document.Content, StringComparer.Ordinal);
            var result = change(documents);
            foreach (var (id, text) in texts)
            {
                if (!documents.TryGetValue(id, out var content) || ProfileText.Write(content) != text) Delete(connection, projectId, kind, id);
                else documents.Remove(id);
            }
            foreach (var (id, content) in documents)
                Insert(connection, projectId, kind, new Document(id, content));
            return result;
        },
        cancellationToken);

    static List<Document> List(DuckDBConnection connection, int projectId, string kind)
    {
        using var query = connection.Command(
            "SELECT document_id, content FROM documents WHERE project_id = $project AND kind = $kind ORDER BY try_cast(document_id AS INTEGER), rowid",
            ("project", projectId), ("kind", kind));
        using var row = query.ExecuteReader();
        var documents = new List<Document>();
        while (row.Read())
            documents.Add(new Document(row.GetString(0), ProfileText.Read(row.GetString(1))));
        return documents;
    }

    static void Insert(DuckDBConnection connection, int projectId, string kind, Document document) => connection.Execute(
        "INSERT INTO documents VALUES ($project, $kind, $id, $content)",
        ("project", projectId), ("kind", kind), ("id", document.Id), ("content", ProfileText.Write(document.Content)));

    static void Delete(DuckDBConnection connection, int projectId, string kind, string id) => connection.Execute(
        "DELETE FROM documents WHERE project_id = $project AND kind = $kind AND document_id = $id", ("project", projectId), ("kind", kind), ("id", id));
}
