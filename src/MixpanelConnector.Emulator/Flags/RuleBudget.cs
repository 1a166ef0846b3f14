namespace MixpanelConnector.Emulator.Flags;

/// <summary>
/// The budget of rules: one unit for each step, and for each character and item that a step reads. A rule that exceeds it matches nobody; a request that
/// exceeds it is rejected, and one whose caller has disconnected ends.
/// </summary>
sealed class RuleBudget(CancellationToken caller = default)
{
    const int MostOfRule = 1_000_000, MostOfRequest = 5_000_000, BetweenLooks = 10_000;
    long _ofRule, _ofRequest, _nextLook;

    /// <exception cref="Http.RefusedException">The previous rules have used up the budget of the request.</exception>
    public void BeginRule()
    {
        if (_ofRequest > MostOfRequest) throw new Http.RefusedException(400, "the rules of these flags take too many steps: ask for one by flag_key");
        _ofRule = 0;
    }

    /// <exception cref="JsonLogicException">The budget of the rule is used up.</exception>
    public void Spend(long units)
    {
        _ofRule += units;
        _ofRequest += Math.Min(units, MostOfRule);
        if (_ofRequest >= _nextLook)
        {
            caller.ThrowIfCancellationRequested();
            _nextLook = _ofRequest + BetweenLooks;
        }
        if (_ofRule > MostOfRule) throw new JsonLogicException("the rule takes too many steps");
    }

    /// <summary>Spends the size of a value: a list built by a rule may contain the same list many times, and each occurrence counts.</summary>
    public void SpendSize(object? value)
    {
        if (value is string text)
        {
            Spend(text.Length);
            return;
        }
        if (value is not List<object?>) return;
        var left = new Stack<object?>([value]);
        while (left.TryPop(out var next))
        {
            if (next is string of)
            {
                Spend(of.Length);
                continue;
            }
            if (next is not List<object?> list) continue;
            Spend(list.Count + 1);
            foreach (var item in list)
            {
                if (item is string or List<object?>) left.Push(item);
            }
        }
    }
}
