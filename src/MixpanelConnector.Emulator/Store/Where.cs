using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Store;

/// <summary>A request's <c>where</c>, whose mistakes are the caller's.</summary>
static class Where
{
    public static Selector Parse(string where, SelectorDialect dialect)
    {
        try
        {
            return Selector.Parse(where, dialect);
        }
        catch (SelectorException e)
        {
            throw Invalid(e);
        }
    }

    public static bool Holds(Selector selector, ISelectorRecord record, SelectorContext context)
    {
        try
        {
            return selector.Matches(record, context);
        }
        catch (SelectorException e)
        {
            throw Invalid(e);
        }
    }

    static RefusedException Invalid(SelectorException e) => new(400, $"invalid where: {e.Message}");
}
