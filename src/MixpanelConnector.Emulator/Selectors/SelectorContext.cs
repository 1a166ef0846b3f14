namespace MixpanelConnector.Emulator.Selectors;

/// <summary>What an expression reads besides the record.</summary>
/// <param name="Now">The value of <c>NOW</c>, the same for every record of one query.</param>
/// <param name="TimeZone">The project's time zone, in which <c>datetime("…")</c> reads its text.</param>
/// <param name="Budget">What all records together may cost; null for no limit.</param>
sealed record SelectorContext(DateTimeOffset Now, TimeZoneInfo TimeZone, QueryBudget? Budget = null);
