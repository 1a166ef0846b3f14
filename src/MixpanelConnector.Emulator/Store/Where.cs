using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Store;

/// <summary>The expressions of a request (<c>where</c>, <c>on</c> and others), whose errors are the caller's.</summary>
static class Where
{
    /// <param name="text">The expression.</param>
    /// <param name="dialect">The dialect.</param>
    /// <param name="field">The name of its field.</param>
    public static Selector Parse(string text, SelectorDialect dialect, string field = "where")
    {
        try
        {
            return Selector.Parse(text, dialect);
        }
        catch (SelectorException e)
        {
            throw new RefusedException(400, $"invalid {field}: {e.Message}");
        }
    }

    /// <summary>Parses an optional expression.</summary>
    public static Selector? Parse(QueryFields fields, string field, SelectorDialect dialect) =>
        fields.Text(field) is { } text ? Parse(text, dialect, field) : null;

    public static bool Holds(Selector selector, ISelectorRecord record, SelectorContext context) => Evaluate(selector, record, context).IsTrue;

    public static SelectorValue Evaluate(Selector selector, ISelectorRecord record, SelectorContext context, string field = "where")
    {
        try
        {
            return selector.Evaluate(record, context);
        }
        catch (SelectorException e)
        {
            throw new RefusedException(400, $"invalid {field}: {e.Message}");
        }
    }
}
