namespace MixpanelConnector.Emulator.Selectors;

enum TokenKind
{
    End,
    Number,
    Text,
    Name,
    And,
    Or,
    Not,
    In,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Comma,
    OpenParenthesis,
    CloseParenthesis,
    OpenBracket,
    CloseBracket,
}

/// <summary>A token, with the value of a string (without its quotes and escapes), a name, or a number.</summary>
readonly record struct Token(TokenKind Kind, int Position, string Text = "", double Number = 0);
