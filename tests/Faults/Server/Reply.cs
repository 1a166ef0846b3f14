namespace MixpanelConnector.Faults;

/// <summary>How an answer is delivered.</summary>
enum Ending
{
    /// <summary>Complete.</summary>
    Whole,

    /// <summary>The connection is reset instead.</summary>
    Reset,

    /// <summary>The connection closes after half of the body, which has neither a length nor chunks.</summary>
    Cut,

    /// <summary>Never delivered.</summary>
    Never,
}

/// <summary>The information about a request on which the server decides.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
readonly record struct Asked(long Number, int Events, int Bytes);

/// <summary>The server's decision on one request.</summary>
sealed record Reply
{
    public static readonly Reply Good = new();

    public int Status { get; init; } = 200;

    /// <summary>The body; null for the correct one for the stored events.</summary>
    public string? Body { get; init; }

    public string Headers { get; init; } = "";

    /// <summary>Whether the events are stored before the answer.</summary>
    public bool Stores { get; init; } = true;

    public Ending Ending { get; init; }

    /// <summary>The delay of the answer.</summary>
    public TimeSpan Delay { get; init; }

    public static Reply Error(int status, bool stores = false, string headers = "") =>
        new() { Status = status, Stores = stores, Headers = headers, Body = $$"""{"code":{{status}},"error":"told to","status":"error"}""" };

    /// <summary>Reset before or after the events were stored.</summary>
    public static Reply Reset(bool stores) => new() { Stores = stores, Ending = Ending.Reset };
}
