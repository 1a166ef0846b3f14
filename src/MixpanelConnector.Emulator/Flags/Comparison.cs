namespace MixpanelConnector.Emulator.Flags;

/// <summary>What the two comparers of Mixpanel's own make of an order: an unknown operator never holds.</summary>
static class Comparison
{
    public static bool Holds(int order, object? operation) => operation switch
    {
        "===" => order == 0,
        "!==" => order != 0,
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        ">=" => order >= 0,
        _ => false,
    };
}
