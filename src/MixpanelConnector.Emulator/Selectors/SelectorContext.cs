namespace MixpanelConnector.Emulator.Selectors;

/// <summary>The inputs of an expression other than the record.</summary>
/// <param name="Now">The value of <c>NOW</c>, the same for every record of one query.</param>
/// <param name="TimeZone">The project's time zone, in which <c>datetime("…")</c> interprets its text.</param>
/// <param name="Budget">The maximum cost of all records together; null for no limit.</param>
sealed record SelectorContext(DateTimeOffset Now, TimeZoneInfo TimeZone, QueryBudget? Budget = null);
