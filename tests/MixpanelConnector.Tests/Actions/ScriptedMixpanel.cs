using System.Net;
using System.Net.Http.Headers;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

/// <summary>Replaces the network: returns the answers of a row, and records the requests.</summary>
sealed class ScriptedMixpanel(ActionRow row) : HttpMessageHandler
{
    /// <summary>Method and address, with the parts of the query sorted and unescaped.</summary>
    public List<string> Lines { get; } = [];

    public string? Authorization { get; private set; }

    public string? Type { get; private set; }

    public string Body { get; private set; } = "";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var address = request.RequestUri!;
        Lines.Add(ActionRow.Line(request.Method.Method, address.GetLeftPart(UriPartial.Path), address.Query));
        Authorization = request.Headers.Authorization?.ToString();
        Type = request.Content?.Headers.ContentType?.MediaType;
        Body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var reply = row.Reply(Lines.Count - 1);
        if (reply.Status == 0) throw new HttpRequestException(HttpRequestError.ResponseEnded, "The connection was broken.");
        var content = new StreamContent(new BodyStream(reply));
        content.Headers.ContentType = reply.Type is null ? null : MediaTypeHeaderValue.Parse(reply.Type);
        return new HttpResponseMessage((HttpStatusCode)reply.Status) { RequestMessage = request, Content = content };
    }

    /// <summary>The body of a reply, which may break before its end.</summary>
    sealed class BodyStream(RowReply reply) : MemoryStream(System.Text.Encoding.UTF8.GetBytes(reply.Text), writable: false)
    {
        public override int Read(Span<byte> buffer) => Checked(base.Read(buffer));

        public override int Read(byte[] buffer, int offset, int count) => Checked(base.Read(buffer, offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

        int Checked(int read) => read > 0 || !reply.IsCut ? read : throw new HttpIOException(HttpRequestError.ResponseEnded, "The answer broke off.");
    }
}
