using System.Text;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Live;

/// <summary>A record that was not stored.</summary>
/// <param name="Index">Its place in its request, from 0.</param>
/// <param name="ProjectId">Where it would have gone; null where it names no project that there is.</param>
/// <param name="At">When it came.</param>
/// <param name="Path">The path that it came by.</param>
/// <param name="Fault">The rule that it breaks.</param>
/// <param name="IsTold">Whether the answer says so: much is dropped without a word.</param>
/// <param name="Record">Its first bytes as text.</param>
sealed record Rejection(int Index, int? ProjectId, DateTimeOffset At, string Path, Fault Fault, bool IsTold, string Record)
{
    const int MostBytes = 4096;

    /// <summary>Text that is no UTF-8, or was cut within a character, shows so.</summary>
    public static string Shown(ReadOnlySpan<byte> record) => Encoding.UTF8.GetString(record[..Math.Min(record.Length, MostBytes)]) + (record.Length > MostBytes ? "…" : "");
}
