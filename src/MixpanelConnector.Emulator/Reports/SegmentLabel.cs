using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Reports;

/// <summary>A value as the name of a segment.</summary>
static class SegmentLabel
{
    public static string Of(in SelectorValue value) => value.Kind == SelectorKind.Text ? value.Text : value.ToString();
}
