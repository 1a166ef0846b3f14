using System.Globalization;
using MixpanelConnector.Import.Readers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Admission;

/// <summary>
/// Gives each input a unique id, from which the ids of records without one are computed, and which identifies it in the checkpoint. Of inputs that share an
/// id, one may keep it; each other gets its real path as id. Neither a different spelling of a path nor a file added later changes the
/// id of a source that was read before: its records would be resent with other ids.
/// </summary>
/// <param name="request">Specifies the formats and compressions.</param>
/// <param name="known">The sources that an earlier run has begun.</param>
/// <param name="warn">Receives the name of an input, and what is done with it.</param>
/// <param name="cutShort">Receives a message about an input that is skipped although it could not be read to its end.</param>
sealed class SourceIds(ImportRequest request, IReadOnlyDictionary<string, ImportSourceProgress> known, Action<string, string> warn, Action<string> cutShort)
{
    const int BlockLength = 64 << 10;

    /// <summary>Returns the inputs in order, each with a unique id, without those whose content is contained in another.</summary>
    public async ValueTask<List<InputFile>> AssignAsync(List<InputFile> inputs, CancellationToken cancellationToken)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var shared = inputs.Where(input => !seen.Add(input.Id)).Select(input => input.Id).ToHashSet(StringComparer.Ordinal);
        var left = new HashSet<InputFile>();
        var owners = new Dictionary<string, InputFile?>(StringComparer.Ordinal);
        foreach (var group in inputs.Where(input => shared.Contains(input.Id)).GroupBy(input => input.Id, StringComparer.Ordinal))
        {
            foreach (var siblings in group.GroupBy(input => InputList.WithoutCompression(input.Place!, request), StringComparer.Ordinal)
                .Where(siblings => siblings.Skip(1).Any()))
                left.UnionWith(await CopiesAsync(siblings, cancellationToken).ConfigureAwait(false));
            var claimants = group.Except(left).ToList();
            owners.Add(group.Key, claimants is [var only] ? only : await OwnerAsync(claimants, cancellationToken).ConfigureAwait(false));
        }

        var assigned = new List<InputFile>(inputs.Count);
        InputFile? renamed = null;
        var others = -1;
        foreach (var input in inputs.Where(input => !left.Contains(input)))
        {
            var takesPath = input.Place is not null && (known.ContainsKey(OwnId(input)) || (owners.TryGetValue(input.Id, out var owner) && owner != input));
            assigned.Add(takesPath ? input with { Id = OwnId(input) } : input);
            if (!takesPath) continue;
            renamed ??= input;
            others++;
        }

        if (renamed is not null)
            warn(renamed.Name,
                string.Create(CultureInfo.InvariantCulture,
                    $"Another input has the same name: the computed ids of this file{(others > 0 ? $" and {others} more" : "")} use the full path."));
        return assigned;
    }

    /// <summary>The real path, which is unique.</summary>
    string OwnId(InputFile input) => request.SourceId is { } id ? $"{id}/{input.Place}" : input.Place!;

    /// <summary>The input that keeps the shared id; null when none has precedence.</summary>
    async ValueTask<InputFile?> OwnerAsync(List<InputFile> claimants, CancellationToken cancellationToken)
    {
        var exact = claimants.Where(input => InputList.WithoutCompression(input.Place!, request) == input.Place).ToList();
        if (!known.TryGetValue(claimants[0].Id, out var reached)) return exact is [var one] ? one : null;
        foreach (var input in exact.Concat(claimants.Except(exact)))
            if (await BeginsAsItWasReadAsync(input, reached, cancellationToken).ConfigureAwait(false)) return input;
        return exact.FirstOrDefault() ?? claimants[0]; // it is reported as changed
    }

    async ValueTask<bool> BeginsAsItWasReadAsync(InputFile input, ImportSourceProgress reached, CancellationToken cancellationToken)
    {
        try
        {
            using var reader = await RecordReaders.OpenAsync(input, reached, request, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (InputException)
        {
            return false;
        }
    }

    /// <summary>Among a file and its compressed forms, those whose content is contained in one of the others.</summary>
    async ValueTask<List<InputFile>> CopiesAsync(IEnumerable<InputFile> siblings, CancellationToken cancellationToken)
    {
        var (kept, copies) = (new List<InputFile>(), new List<InputFile>());
        foreach (var sibling in siblings.Where(sibling => !known.ContainsKey(OwnId(sibling)))) // what was read separately before is read so again
        {
            var longest = sibling;
            foreach (var other in kept)
            {
                if (await LongerAsync(other, sibling, cancellationToken).ConfigureAwait(false) is not { } longer) continue;
                var copy = longer == other ? sibling : other;
                warn(copy.Name, $"This file contains only what {longer.Name} contains, and is not read.");
                copies.Add(copy);
                longest = longer;
                break;
            }

            if (longest != sibling) continue;
            kept.RemoveAll(copies.Contains);
            kept.Add(sibling);
        }

        return copies;
    }

    /// <summary>The one that begins with the whole content of the other; null when neither does.</summary>
    async ValueTask<InputFile?> LongerAsync(InputFile first, InputFile second, CancellationToken cancellationToken)
    {
        try
        {
            var (one, _) = await Decompression.OpenAsync(first, request, cancellationToken).ConfigureAwait(false);
            using var ones = new Blocks(one, first);
            var (other, _) = await Decompression.OpenAsync(second, request, cancellationToken).ConfigureAwait(false);
            using var others = new Blocks(other, second);
            while (true)
            {
                if (!await others.FillAsync(cancellationToken).ConfigureAwait(false)) return Told(others, first);
                if (!await ones.FillAsync(cancellationToken).ConfigureAwait(false)) return Told(ones, second);
                var common = Math.Min(ones.Unread.Length, others.Unread.Length);
                if (!ones.Unread.Span[..common].SequenceEqual(others.Unread.Span[..common])) return null;
                ones.Take(common);
                others.Take(common);
            }
        }
        catch (InputException)
        {
            return null; // reported when it is read
        }
    }

    InputFile Told(Blocks ended, InputFile longer)
    {
        if (ended.Fault is { } fault)
            cutShort($"{ended.Input.Name} {fault}. Up to there it contains what {longer.Name} contains, and was not read: if it was being written, "
                + $"{request.InWords.RunAgain}.");
        return longer;
    }

    /// <summary>Reads a source block by block. A read error ends it.</summary>
    sealed class Blocks(ByteSource source, InputFile input) : IDisposable
    {
        readonly byte[] _block = new byte[BlockLength];

        public InputFile Input => input;

        public ReadOnlyMemory<byte> Unread { get; private set; }

        public string? Fault { get; private set; }

        public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
        {
            if (Unread.Length > 0) return true;
            try
            {
                var read = await source.ReadAsync(_block, cancellationToken).ConfigureAwait(false);
                Unread = _block.AsMemory(0, read);
            }
            catch (InputException e)
            {
                Fault = e.Message;
            }

            return Unread.Length > 0;
        }

        public void Take(int count) => Unread = Unread[count..];

        public void Dispose() => source.Dispose();
    }
}
