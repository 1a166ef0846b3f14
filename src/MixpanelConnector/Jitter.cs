namespace MixpanelConnector;

/// <summary>The only source of real randomness.</summary>
static class Jitter
{
#pragma warning disable RS0030 // everything else is handed its randomness
    public static double Random() => System.Random.Shared.NextDouble();
#pragma warning restore RS0030
}
