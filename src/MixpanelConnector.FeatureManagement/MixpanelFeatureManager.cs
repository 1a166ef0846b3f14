using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.FeatureManagement;
using Microsoft.FeatureManagement.FeatureFilters;

namespace MixpanelConnector.FeatureManagement;

/// <summary>
/// Evaluates Mixpanel's flags for Microsoft.FeatureManagement, from one snapshot for each scope. A feature is enabled if the value of its variant is exactly
/// <c>true</c>. The person comes from the application's <see cref="ITargetingContextAccessor"/>.
/// </summary>
sealed class MixpanelFeatureManager(FlagSnapshot flags, ITargetingContextAccessor? accessor) : IVariantFeatureManagerSnapshot, IFeatureManagerSnapshot
{
    readonly Lock _lock = new();
    Task<EvaluationContext>? _ambient;

    public async IAsyncEnumerable<string> GetFeatureNamesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var key in flags.Keys)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return key;
        }
    }

    public async ValueTask<bool> IsEnabledAsync(string feature, CancellationToken cancellationToken = default) =>
        flags.Evaluate(feature, await AmbientAsync(cancellationToken).ConfigureAwait(false)).IsEnabled;

    public async ValueTask<bool> IsEnabledAsync<TContext>(string feature, TContext context, CancellationToken cancellationToken = default) =>
        flags.Evaluate(feature, Of(context) ?? await AmbientAsync(cancellationToken).ConfigureAwait(false)).IsEnabled;

    public async ValueTask<Variant> GetVariantAsync(string feature, CancellationToken cancellationToken = default) =>
        Of(flags.Evaluate(feature, await AmbientAsync(cancellationToken).ConfigureAwait(false)));

    public ValueTask<Variant> GetVariantAsync(string feature, ITargetingContext context, CancellationToken cancellationToken = default) =>
        new(Of(flags.Evaluate(feature, Of(context) ?? Nobody)));

    public IAsyncEnumerable<string> GetFeatureNamesAsync() => GetFeatureNamesAsync(CancellationToken.None);

    public Task<bool> IsEnabledAsync(string feature) => IsEnabledAsync(feature, CancellationToken.None).AsTask();

    public Task<bool> IsEnabledAsync<TContext>(string feature, TContext context) => IsEnabledAsync(feature, context, CancellationToken.None).AsTask();

    static readonly EvaluationContext Nobody = new((string?)null);

    /// <summary>Looked up once in a scope, so that all its evaluations are for the same person.</summary>
    Task<EvaluationContext> AmbientAsync(CancellationToken cancellationToken)
    {
        lock (_lock) return (_ambient ??= FindAsync()).WaitAsync(cancellationToken);

        async Task<EvaluationContext> FindAsync() => (accessor is null ? null : Of(await accessor.GetContextAsync().ConfigureAwait(false))) ?? Nobody;
    }

    static EvaluationContext? Of(object? context) => context switch
    {
        EvaluationContext own => own,
        MixpanelTargetingContext { Context: var own } => own,
        ITargetingContext targeting => new EvaluationContext(targeting.UserId),
        _ => null,
    };

    /// <summary>Returns null for no variant, as Microsoft's own manager does.</summary>
    static Variant Of(FlagEvaluation evaluation)
    {
        if (evaluation is not { VariantKey: { } key, Value: { } value }) return null!;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(Flat(key, value)).Build();
        return new Variant { Name = key, Configuration = configuration.GetSection(key) };
    }

    /// <summary>Flattens JSON into configuration keys and string values.</summary>
    static IEnumerable<KeyValuePair<string, string?>> Flat(string path, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                return value.EnumerateObject().SelectMany(member => Flat(ConfigurationPath.Combine(path, member.Name), member.Value));
            case JsonValueKind.Array:
                return value.EnumerateArray().SelectMany((item, at) =>
                    Flat(ConfigurationPath.Combine(path, at.ToString(System.Globalization.CultureInfo.InvariantCulture)), item));
            default:
                return [KeyValuePair.Create(path, value.ValueKind is JsonValueKind.Null ? null : value.ToString())];
        }
    }
}
