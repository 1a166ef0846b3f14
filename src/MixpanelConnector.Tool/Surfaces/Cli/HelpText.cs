using System.Text;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>A name and its description.</summary>
sealed record HelpRow(string Name, string Meaning);

/// <summary>Formats text for the width of a terminal.</summary>
/// <param name="width">The width in columns.</param>
sealed class HelpText(int width)
{
    const int Widest = 120;
    const int WidestName = 44;

    /// <summary>In fewer columns, descriptions are below their names instead of beside them.</summary>
    const int NarrowestOfTwo = 40;
    const int Indent = 4;

    readonly StringBuilder _text = new();
    readonly int _width = Math.Clamp(width, HostEnvironment.Narrowest, Widest);

    public void Line(string text = "") => _text.Append(text).Append('\n');

    public void Paragraph(string text) => Wrap(text, indent: 0, column: 0);

    /// <summary>Writes names in a column and their descriptions in the next.</summary>
    public void Rows(IReadOnlyList<HelpRow> rows)
    {
        var most = Math.Min(WidestName, (_width / 2) + 4);
        var column = 0;
        foreach (var row in rows) column = Math.Max(column, row.Name.Length <= most ? row.Name.Length + 4 : 0);
        if (column == 0) column = most + 4;
        if (_width < NarrowestOfTwo) column = Indent;
        foreach (var (name, meaning) in rows)
        {
            _text.Append("  ").Append(name);
            if (name.Length + 4 <= column) _text.Append(' ', column - name.Length - 2);
            else _text.Append('\n').Append(' ', column);
            Wrap(meaning, column, column);
        }
    }

    public override string ToString() => _text.ToString();

    /// <summary>Wraps between words. A word longer than a line is not split, so that it can be copied.</summary>
    void Wrap(string text, int indent, int column)
    {
        var isFirst = true;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!isFirst && column + 1 + word.Length > _width)
            {
                _text.Append('\n').Append(' ', indent);
                column = indent;
                isFirst = true;
            }

            if (!isFirst) _text.Append(' ');
            _text.Append(word);
            column += word.Length + (isFirst ? 0 : 1);
            isFirst = false;
        }

        _text.Append('\n');
    }
}
