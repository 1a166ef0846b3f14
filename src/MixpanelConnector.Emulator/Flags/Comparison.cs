namespace MixpanelConnector.Emulator.Flags;

/// <summary>How Mixpanel's two comparison operators interpret an order: an unknown operation is always false.</summary>
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
