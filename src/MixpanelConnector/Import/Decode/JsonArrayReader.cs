using System.Buffers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Decode;

/// <summary>Reads the elements of a JSON array, pretty-printed or not. An array may grow by rewriting its closing bracket.</summary>
class JsonArrayReader : JsonValueReader
{
    enum Expecting
    {
        Opening,
        FirstElementOrEnd,
        CommaOrEnd,
        Element,
        Nothing,
    }

    static readonly SearchValues<byte> Marks = SearchValues.Create("\"[]{},"u8);

    Expecting _expecting;
    int _depth;

    /// <param name="window">Positioned where reading begins.</param>
    /// <param name="line">The number of lines before it.</param>
    /// <param name="begun">Whether that is after an element instead of before the array.</param>
    public JsonArrayReader(InputWindow window, long line, bool begun)
        : base(window, line) => _expecting = begun ? Expecting.CommaOrEnd : Expecting.Opening;

    public override async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (await Window.FillAsync(cancellationToken).ConfigureAwait(false)) return true;
        if (!IsComplete) throw new InputException("is truncated: the JSON array is not closed");
        return false;
    }

    /// <summary>Whether the array was closed.</summary>
    protected bool IsClosed => _expecting is Expecting.Nothing;

    /// <summary>Whether the text may end here.</summary>
    protected virtual bool IsComplete => IsClosed;

    /// <summary>Whether something may follow the array.</summary>
    protected virtual bool MayGoOn => false;

    /// <summary>Begins another array, when the last was closed or there was none.</summary>
    protected void Open() => _expecting = Expecting.Opening;

    protected override void EndValue() => (_depth, _expecting) = (0, Expecting.CommaOrEnd);

    protected override bool FindValue()
    {
        while (true)
        {
            var unread = Window.Unread;
            var space = unread.IndexOfAnyExcept(" \t\r\n"u8);
            var skipped = unread[..(space < 0 ? unread.Length : space)];
            if (!skipped.IsEmpty) Pass(skipped);
            if (space < 0 || (IsClosed && MayGoOn)) return false;

            var next = Window.Unread[0];
            switch (_expecting, next)
            {
                case (Expecting.Opening, (byte)'['):
                    _expecting = Expecting.FirstElementOrEnd;
                    break;
                case (Expecting.FirstElementOrEnd or Expecting.CommaOrEnd, (byte)']'):
                    _expecting = Expecting.Nothing;
                    break;
                case (Expecting.CommaOrEnd, (byte)','):
                    _expecting = Expecting.Element;
                    break;
                case (Expecting.FirstElementOrEnd or Expecting.Element, not ((byte)',' or (byte)']' or (byte)'}' or (byte)':')):
                    return true;
                default:
                    throw new InputException($"is not a valid JSON array: an unexpected character on line {Line + 1}, at byte {Window.Offset}");
            }

            Pass(Window.Unread[..1]);
        }
    }

    protected override int? ValueLength()
    {
        var unread = Window.Unread;
        while (Scanned < unread.Length)
        {
            if (InString)
            {
                if (!PassString(unread, "\"\\"u8)) break;
                if (!InString && _depth == 0) return Scanned;
                continue;
            }

            var mark = unread[Scanned..].IndexOfAny(Marks);
            if (mark < 0)
            {
                Scanned = unread.Length;
                break;
            }

            Scanned += mark;
            switch (unread[Scanned])
            {
                case (byte)'"':
                    InString = true;
                    break;
                case (byte)'[' or (byte)'{':
                    _depth++;
                    break;
                case (byte)',' when _depth == 0:
                case (byte)']' or (byte)'}' when _depth == 0:
                    return unread[..Scanned].TrimEnd(" \t\r\n"u8).Length; // a number, true, false or null ends before it
                case (byte)']' or (byte)'}' when --_depth == 0:
                    return ++Scanned;
            }

            Scanned++;
        }

        PassBy(unread);
        return null;
    }
}
