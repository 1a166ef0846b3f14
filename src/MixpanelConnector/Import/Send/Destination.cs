using MixpanelConnector.Import.Batch;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Send;

/// <summary>Where records of one type are sent, and how the responses are read.</summary>
abstract class Destination(MixpanelTransport transport)
{
    /// <summary>Wraps another destination, with the same transport.</summary>
    protected Destination(Destination inner)
        : this(inner.Transport) { }

    /// <summary>The destination of the records of an import.</summary>
    public static Destination For(ImportRequest request, MixpanelTransport transport) => request.Type is ImportType.Events
        ? new EventDestination(transport, request.Strict)
        : new ProfileDestination(transport, request.Type is ImportType.Groups ? "/groups" : "/engage", request.Strict);

    protected MixpanelTransport Transport { get; } = transport;

    /// <exception cref="MixpanelException">No configured credentials are suitable.</exception>
    public abstract void EnsureAccess();

    /// <summary>Compresses the body of a batch, once for all attempts, if the endpoint accepts that.</summary>
    public abstract void Compress(RecordBatch batch);

    public abstract Task<Reply> SendAsync(RecordBatch batch, CancellationToken cancellationToken);

    public abstract ImportVerdict Read(Reply reply, int sent);

    /// <summary>Whether Mixpanel was asked to silently drop what it does not accept.</summary>
    public virtual bool DropsInSilence => false;
}

/// <summary>Sends events to <c>/import</c>, compressed with gzip.</summary>
sealed class EventDestination(MixpanelTransport transport, bool strict) : Destination(transport)
{
    readonly MixpanelRequest _request =
        new MixpanelRequest(HttpMethod.Post, Api.Ingestion, "/import", AuthScheme.ServiceAccountOfProjectOrToken) { IsRepeatable = true }.With(
        "strict", strict ? 1 : 0);

    public override void EnsureAccess() => Transport.EnsureAccess(_request.Auth);

    public override void Compress(RecordBatch batch) => batch.Compress();

    public override Task<Reply> SendAsync(RecordBatch batch, CancellationToken cancellationToken) =>
        Transport.SendOnceAsync(_request with { Body = new RequestBody(batch.Body, "application/json", "gzip") }, cancellationToken);

    public override ImportVerdict Read(Reply reply, int sent) => ReplyClassifier.ReadImport(reply, sent, Transport.Options);

    public override bool DropsInSilence => !strict;
}

/// <summary>Sends events to <c>/track</c>, which accepts no compression; each of them contains the project token.</summary>
sealed class TrackDestination(MixpanelTransport transport) : Destination(transport)
{
    // ip=0: do not geolocate an event by the machine that sends it.
    readonly MixpanelRequest _request = new MixpanelRequest(HttpMethod.Post, Api.Ingestion, "/track", AuthScheme.ProjectToken) { IsRepeatable = true }
        .With("verbose", 1)
        .With("ip", 0);

    public override void EnsureAccess()
    {
        if (Transport.Options.Token is null)
            throw MixpanelException.Invalid("token", "Events go to /track with the project token. Configure it, or use the embedded Mixpanel.");
    }

    public override void Compress(RecordBatch batch) { }

    public override Task<Reply> SendAsync(RecordBatch batch, CancellationToken cancellationToken) =>
        Transport.SendOnceAsync(_request with { Body = new RequestBody(batch.Body, "application/json") }, cancellationToken);

    public override ImportVerdict Read(Reply reply, int sent) => ReplyClassifier.ReadTrack(reply, sent, Transport.Options);

    public override bool DropsInSilence => true;
}

/// <summary>Sends profile updates to <c>/engage</c> or <c>/groups</c>, which accept no compression; each of them contains the project token.</summary>
sealed class ProfileDestination(MixpanelTransport transport, string path, bool strict) : Destination(transport)
{
    // ip=0: do not geolocate a profile by the machine that imports it.
    readonly MixpanelRequest _request = new MixpanelRequest(HttpMethod.Post, Api.Ingestion, path, AuthScheme.ProjectToken)
        .With("verbose", 1)
        .With("ip", 0)
        .With("strict", strict ? 1 : 0);

    public override void EnsureAccess()
    {
        if (Transport.Options.Token is null) throw NeedsToken();
    }

    public static MixpanelException NeedsToken() =>
        MixpanelException.Invalid("token", "Profiles are imported with the project token. Configure it, or use the embedded Mixpanel.");

    public override void Compress(RecordBatch batch) { }

    public override Task<Reply> SendAsync(RecordBatch batch, CancellationToken cancellationToken) =>
        Transport.SendOnceAsync(_request with { Body = new RequestBody(batch.Body, "application/json"), IsRepeatable = batch.Repeatable }, cancellationToken);

    public override ImportVerdict Read(Reply reply, int sent) => ReplyClassifier.ReadEngage(reply, sent, Transport.Options);

    public override bool DropsInSilence => !strict;
}
