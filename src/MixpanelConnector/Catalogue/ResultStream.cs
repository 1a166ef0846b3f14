using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;

namespace MixpanelConnector;

/// <summary>Writes each item of a typed stream as one JSON text.</summary>
sealed class ResultStream<TInput, TItem>(
    Func<ActionContext, TInput, CancellationToken, IAsyncEnumerable<TItem>> read,
    Func<ActionGroup, JsonTypeInfo<TItem>> item) : ResultStream<TInput>
{
    public override async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(ActionContext context, TInput input,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var type = item(context.Action.Group);
        await foreach (var result in read(context, input, cancellationToken).ConfigureAwait(false))
            yield return JsonDefaults.Write(result, type);
    }
}
