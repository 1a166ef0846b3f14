namespace MixpanelConnector.Faults;

/// <summary>How an answer reaches its reader.</summary>
enum Ending
{
    /// <summary>Whole.</summary>
    Whole,

    /// <summary>The connection is reset in its place.</summary>
    Reset,

    /// <summary>The connection closes after half of its body, whose end nothing announced.</summary>
    Cut,

    /// <summary>It never comes.</summary>
    Never,
}

/// <summary>What the server knows of a request when it decides.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
readonly record struct Asked(long Number, int Events, int Bytes);

/// <summary>What the server does with one request.</summary>
sealed record Reply
{
    public static readonly Reply Good = new();

    public int Status { get; init; } = 200;

    /// <summary>The body; null for the one that belongs to what was stored.</summary>
    public string? Body { get; init; }

    public string Headers { get; init; } = "";

    /// <summary>Whether the events are taken before the answer.</summary>
    public bool Stores { get; init; } = true;

    public Ending Ending { get; init; }

    /// <summary>How long the answer takes.</summary>
    public TimeSpan Delay { get; init; }

    public static Reply Error(int status, bool stores = false, string headers = "") => new() { Status = status, Stores = stores, Headers = headers, Body = $$"""{"code":{{status}},"error":"told to","status":"error"}""" };

    /// <summary>Reset before or after the events were taken.</summary>
    public static Reply Reset(bool stores) => new() { Stores = stores, Ending = Ending.Reset };
}
