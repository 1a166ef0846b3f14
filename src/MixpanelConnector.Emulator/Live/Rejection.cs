using System.Text;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Live;

/// <summary>A record that was not stored.</summary>
/// <param name="Index">Its index in its request, from 0.</param>
/// <param name="ProjectId">Its project; null if it names no existing project.</param>
/// <param name="At">The time it was received.</param>
/// <param name="Path">The path of its request.</param>
/// <param name="Fault">The rule that it violates.</param>
/// <param name="IsTold">Whether the response reports it: many records are dropped silently.</param>
/// <param name="Record">Its first bytes as text.</param>
sealed record Rejection(int Index, int? ProjectId, DateTimeOffset At, string Path, Fault Fault, bool IsTold, string Record)
{
    const int MostBytes = 4096;

    /// <summary>Invalid UTF-8, or a character that was cut, is shown as a replacement character.</summary>
    public static string Shown(ReadOnlySpan<byte> record) =>
        Encoding.UTF8.GetString(record[..Math.Min(record.Length, MostBytes)]) + (record.Length > MostBytes ? "…" : "");
}
