using System.Text;

namespace MixpanelConnector.Import.Source;

/// <summary>
/// A text encoding, by the names and labels of the Encoding Standard (https://encoding.spec.whatwg.org), in which latin1 and
/// iso-8859-1 are windows-1252. Where the runtime's tables differ from the standard, the standard takes precedence.
/// </summary>
sealed class TextEncoding
{
    const int Utf8CodePage = 65001;
    const int LittleEndian = 1200;
    const int BigEndian = 1201;

    /// <summary>The code page of encodings that the runtime lacks, whose upper half is defined here.</summary>
    const int OwnTable = 0;

    static readonly TextEncoding[] All =
    [
        new("utf-8", Utf8CodePage, "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8"),
        new("utf-16le", LittleEndian, "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16"),
        new("utf-16be", BigEndian, "unicodefffe"),
        new("windows-1252", 1252,
            "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii "
            + "x-cp1252"),
        new("ibm866", 866, "866 cp866 csibm866"),
        new("iso-8859-2", 28592, "csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2"),
        new("iso-8859-3", 28593, "csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3"),
        new("iso-8859-4", 28594, "csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4"),
        new("iso-8859-5", 28595, "csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988"),
        new("iso-8859-6", 28596,
            "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 "
            + "iso_8859-6:1987"),
        new("iso-8859-7", 28597, "csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek",
            "\u00a1\u2018\u00a2\u2019\u00a4\u20ac\u00a5\u20af\u00aa\u037a"),
        new("iso-8859-8", 28598, "csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual",
            "\u00af\u00af\u00fd\u200e\u00fe\u200f"),
        new("iso-8859-8-i", 28598, "csiso88598i logical", "\u00af\u00af\u00fd\u200e\u00fe\u200f"),
        new("iso-8859-10", OwnTable, "csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6",
            "ĄĒĢĪĨĶ§ĻĐŠŦŽ\u00adŪŊ°ąēģīĩķ·ļđšŧž―ūŋĀÁÂÃÄÅÆĮČÉĘËĖÍÎÏÐŅŌÓÔÕÖŨØŲÚÛÜÝÞßāáâãäåæįčéęëėíîïðņōóôõöũøųúûüýþĸ"),
        new("iso-8859-13", 28603, "iso8859-13 iso885913"),
        new("iso-8859-14", OwnTable, "iso8859-14 iso885914",
            "Ḃḃ£ĊċḊ§Ẁ©ẂḋỲ\u00ad®ŸḞḟĠġṀṁ¶ṖẁṗẃṠỳẄẅṡÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏŴÑÒÓÔÕÖṪØÙÚÛÜÝŶßàáâãäåæçèéêëìíîïŵñòóôõöṫøùúûüýŷÿ"),
        new("iso-8859-15", 28605, "csisolatin9 iso8859-15 iso885915 iso_8859-15 l9"),
        new("iso-8859-16", OwnTable, "", "ĄąŁ€„Š§š©Ș«Ź\u00adźŻ°±ČłŽ”¶·žčș»ŒœŸżÀÁÂĂÄĆÆÇÈÉÊËÌÍÎÏĐŃÒÓÔŐÖŚŰÙÚÛÜĘȚßàáâăäćæçèéêëìíîïđńòóôőöśűùúûüęțÿ"),
        new("koi8-r", 20866, "cskoi8r koi koi8 koi8_r"),
        new("koi8-u", 21866, "koi8-ru"),
        new("macintosh", 10000, "csmacintosh mac x-mac-roman", "\u00bd\u03a9"),
        new("windows-874", 874, "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620"),
        new("windows-1250", 1250, "cp1250 x-cp1250"),
        new("windows-1251", 1251, "cp1251 x-cp1251"),
        new("windows-1253", 1253, "cp1253 x-cp1253"),
        new("windows-1254", 1254, "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 x-cp1254"),
        new("windows-1255", 1255, "cp1255 x-cp1255", "\u00ca\u05ba"),
        new("windows-1256", 1256, "cp1256 x-cp1256"),
        new("windows-1257", 1257, "cp1257 x-cp1257"),
        new("windows-1258", 1258, "cp1258 x-cp1258"),
        new("x-mac-cyrillic", 10007, "x-mac-ukrainian", "\u00a2\u0490\u00b6\u0491\u00ff\u20ac"),
        new("gbk", 54936, "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 iso-ir-58 x-gbk"),
        new("gb18030", 54936, ""),
        new("big5", 950, "cn-big5 csbig5 x-x-big5"),
        new("euc-jp", 51932, "cseucpkdfmtjapanese x-euc-jp"),
        new("iso-2022-jp", 50220, "csiso2022jp"),
        new("shift_jis", 932, "csshiftjis ms932 ms_kanji shift-jis sjis windows-31j x-sjis"),
        new("euc-kr", 949, "cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949"),
    ];

    /// <summary>Labels of the standard whose characters the runtime does not support, or that the standard maps to no encoding.</summary>
    static readonly string[] Unread =
    [
        "big5-hkscs",
        "csiso2022kr",
        "hz-gb-2312",
        "iso-2022-cn",
        "iso-2022-cn-ext",
        "iso-2022-kr",
        "replacement",
        "x-user-defined",
    ];

    static readonly TextEncoding Utf16Le = All[1];
    static readonly TextEncoding Utf16Be = All[2];

    readonly int _codePage;
    readonly string _labels;
    readonly string _characters;

    /// <param name="name">The name, which is also a label.</param>
    /// <param name="codePage">The runtime's number for it.</param>
    /// <param name="labels">Its other labels, separated by spaces.</param>
    /// <param name="characters">Pairs of a byte and its character; for <see cref="OwnTable"/> all characters from 0xa1 on.</param>
    TextEncoding(string name, int codePage, string labels, string characters = "") =>
        (Name, _codePage, _labels, _characters) = (name, codePage, labels, characters);

    /// <summary>The name in lower case.</summary>
    public string Name { get; }

    /// <summary>Whether its text needs no conversion.</summary>
    public bool IsUtf8 => _codePage == Utf8CodePage;

    /// <summary>Finds an encoding by label, case-insensitive; null when there is none that is supported.</summary>
    public static TextEncoding? Find(string label)
    {
        label = label.Trim();
        return Array.Find(All, encoding => encoding.Name.Equals(label, StringComparison.OrdinalIgnoreCase))
            ?? Array.Find(All,
                encoding => encoding._labels.Split(' ', StringSplitOptions.RemoveEmptyEntries).Contains(label, StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Whether a label is in the standard but not supported.</summary>
    public static bool IsUnread(string label) => Unread.Contains(label.Trim(), StringComparer.OrdinalIgnoreCase);

    /// <summary>The encoding that a byte order mark indicates; null for none, and for that of UTF-32.</summary>
    public static TextEncoding? OfMark(ReadOnlySpan<byte> head) => head switch
    {
        [0xff, 0xfe, 0, 0] => null,
        [0xff, 0xfe, ..] => Utf16Le,
        [0xfe, 0xff, ..] => Utf16Be,
        _ => null,
    };

    /// <summary>Creates a transcoder to UTF-8.</summary>
    public Transcoder NewTranscoder()
    {
        if (_codePage is LittleEndian or BigEndian) return new Utf16Transcoder(isBigEndian: _codePage == BigEndian);
        if (_codePage == OwnTable) return new SingleByteTranscoder(Table(new string([.. Enumerable.Range(0, 0xa1).Select(code => (char)code)]) + _characters));
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(_codePage)!;
        if (!encoding.IsSingleByte) return new MultiByteTranscoder(_codePage);
        var table = encoding.GetString([.. Enumerable.Range(0, 256).Select(code => (byte)code)]).ToCharArray();
        for (var i = 0; i < _characters.Length; i += 2) table[_characters[i]] = _characters[i + 1];
        return new SingleByteTranscoder(Table(new string(table)));
    }

    /// <summary>The table of characters, with U+FFFF for unassigned bytes and for control characters that do not occur in text.</summary>
    char[] Table(string characters)
    {
        var table = new char[256];
        for (var code = 0; code < 256; code++)
            table[code] = characters[code] is >= '\u0080' and <= '\u009f' or (>= '\ue000' and <= '\uf8ff') && !(_codePage == 10000 && code == 0xf0)
                ? '\uffff'
                : characters[code];
        return table;
    }
}
