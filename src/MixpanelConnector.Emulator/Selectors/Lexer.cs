using System.Globalization;
using System.Text;

namespace MixpanelConnector.Emulator.Selectors;

/// <summary>Splits an expression's text into tokens.</summary>
sealed class Lexer(string text)
{
    int _next;

    public Token Next()
    {
        while (_next < text.Length && char.IsWhiteSpace(text[_next]))
            _next++;
        if (_next == text.Length) return new Token(TokenKind.End, _next);

        var first = text[_next];
        if (first == '"') return ReadText();
        if (char.IsAsciiDigit(first)) return ReadNumber();
        if (char.IsAsciiLetter(first)) return ReadName();
        return ReadSymbol(first);
    }

    Token ReadText()
    {
        var start = _next++;
        var value = new StringBuilder();
        while (_next < text.Length)
        {
            var current = text[_next++];
            if (current == '"') return new Token(TokenKind.Text, start, value.ToString());
            if (current == '\\' && _next < text.Length)
            {
                current = text[_next++];
                if (current is not ('"' or '\\'))
                    throw new SelectorException("""unknown escape: only \" and \\ are known""", _next - 2);
            }
            value.Append(current);
        }
        throw new SelectorException("unterminated string", start);
    }

    Token ReadNumber()
    {
        var start = _next;
        SkipDigits();
        if (_next < text.Length && text[_next] == '.')
        {
            _next++;
            if (_next == text.Length || !char.IsAsciiDigit(text[_next])) throw new SelectorException("expected a digit after '.'", _next);
            SkipDigits();
        }
        var number = double.Parse(text.AsSpan(start, _next - start), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
        if (!double.IsFinite(number)) throw new SelectorException("number out of range", start);
        return new Token(TokenKind.Number, start, Number: number);
    }

    void SkipDigits()
    {
        while (_next < text.Length && char.IsAsciiDigit(text[_next]))
            _next++;
    }

    Token ReadName()
    {
        var start = _next;
        while (_next < text.Length && (char.IsAsciiLetterOrDigit(text[_next]) || text[_next] == '_'))
            _next++;
        var name = text[start.._next];
        var kind = name switch
        {
            "and" or "AND" => TokenKind.And,
            "or" or "OR" => TokenKind.Or,
            "not" or "NOT" => TokenKind.Not,
            "in" => TokenKind.In,
            _ => TokenKind.Name,
        };
        return new Token(kind, start, name);
    }

    Token ReadSymbol(char first)
    {
        var start = _next;
        var followedByEquals = start + 1 < text.Length && text[start + 1] == '=';
        var (kind, length) = (first, followedByEquals) switch
        {
            ('=', true) => (TokenKind.Equal, 2),
            // Mixpanel's grammar has only "==", but two of its published samples use "=".
            ('=', false) => (TokenKind.Equal, 1),
            ('!', true) => (TokenKind.NotEqual, 2),
            ('>', true) => (TokenKind.GreaterOrEqual, 2),
            ('>', false) => (TokenKind.Greater, 1),
            ('<', true) => (TokenKind.LessOrEqual, 2),
            ('<', false) => (TokenKind.Less, 1),
            ('+', _) => (TokenKind.Plus, 1),
            ('-', _) => (TokenKind.Minus, 1),
            ('*', _) => (TokenKind.Star, 1),
            ('/', _) => (TokenKind.Slash, 1),
            ('%', _) => (TokenKind.Percent, 1),
            (',', _) => (TokenKind.Comma, 1),
            ('(', _) => (TokenKind.OpenParenthesis, 1),
            (')', _) => (TokenKind.CloseParenthesis, 1),
            ('[', _) => (TokenKind.OpenBracket, 1),
            (']', _) => (TokenKind.CloseBracket, 1),
            ('\'', _) => throw new SelectorException("strings are written in double quotes", start),
            _ => throw new SelectorException($"unexpected character {Describe(first)}", start),
        };
        _next += length;
        return new Token(kind, start);
    }

    static string Describe(char unexpected) =>
        char.IsControl(unexpected) || char.IsSurrogate(unexpected) ? $"U+{(int)unexpected:X4}" : $"'{unexpected}'";
}
