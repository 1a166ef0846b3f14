using System.Text;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>
/// Infers the type of each column whose type was not specified. Cells have no type, so the first of them determine it, once for the
/// whole input. A column that is empty there gets the type of its first value.
/// </summary>
sealed class InferredTypes
{
    /// <summary>The number of rows from which types are inferred, if there are that many.</summary>
    public const int FirstRows = 1000;

    const byte NotShown = (byte)'-';
    const byte IsText = (byte)'t';
    const byte IsNumber = (byte)'n';
    const byte IsBoolean = (byte)'b';

    readonly NumberText _number;
    readonly byte[] _types;
    readonly bool[] _inferred;
    string? _written;

    /// <param name="columns">The columns.</param>
    /// <param name="separator">The decimal separator of numbers.</param>
    public InferredTypes(ColumnMap columns, char separator = '.')
    {
        _number = new NumberText(separator);
        (_types, _inferred) = (new byte[columns.Names.Count], new bool[columns.Names.Count]);
        _types.AsSpan().Fill(NotShown);
        foreach (var field in columns.Fields) _inferred[field.Column] |= field is { Kind: FieldKind.Value, Type: null, HoldsProperties: false };
    }

    /// <summary>Whether the type of any column must be inferred.</summary>
    public bool AreNeeded => Array.Exists(_inferred, inferred => inferred);

    /// <summary>One letter per column; null when no type was inferred yet.</summary>
    public string? Written => _types.AsSpan().ContainsAnyExcept(NotShown) ? _written ??= Encoding.ASCII.GetString(_types) : null;

    /// <summary>Restores the types inferred by an earlier run; false when they belong to a different input.</summary>
    public bool TryTake(string types)
    {
        if (types.Length != _types.Length || !Ascii.IsValid(types)) return false;
        Encoding.ASCII.GetBytes(types, _types);
        _written = types;
        return true;
    }

    /// <summary>Takes one of the first values of a column into account.</summary>
    public void Look(int column, ReadOnlySpan<byte> cell)
    {
        if (!_inferred[column] || _types[column] == IsText) return;
        var shown = Shown(cell);
        _types[column] = _types[column] == NotShown || _types[column] == shown ? shown : IsText;
        _written = null;
    }

    /// <summary>Writes a value. One that does not match the type of its column is written as text, and the type is returned.</summary>
    public ImportColumnType? Write(JsonText json, int column, ReadOnlySpan<byte> cell)
    {
        if (_types[column] == NotShown) Look(column, cell);
        switch (_types[column])
        {
            case IsNumber when _number.TryRead(cell, exponents: false, out var number):
                json.Append(number);
                return null;
            case IsBoolean when AsBoolean(cell) is { } boolean:
                json.Append(boolean ? "true"u8 : "false"u8);
                return null;
            default:
                json.AppendString(cell);
                return _types[column] switch
                {
                    IsNumber => ImportColumnType.Number,
                    IsBoolean => ImportColumnType.Boolean,
                    _ => null,
                };
        }
    }

    byte Shown(ReadOnlySpan<byte> cell)
    {
        if (_number.TryRead(cell, exponents: false, out _)) return IsNumber;
        return AsBoolean(cell) is not null ? IsBoolean : IsText;
    }

    static bool? AsBoolean(ReadOnlySpan<byte> cell)
    {
        if (cell.Length is not (4 or 5)) return null;
        return Ascii.EqualsIgnoreCase(cell, "true"u8) ? true : Ascii.EqualsIgnoreCase(cell, "false"u8) ? false : null;
    }
}
