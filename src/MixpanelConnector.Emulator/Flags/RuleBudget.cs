namespace MixpanelConnector.Emulator.Flags;

/// <summary>
/// What rules may cost: a unit for each step, and for each character and item that a step looks at. A rule that takes more lets nobody in;
/// a request that takes more is refused, and one whose caller has left ends.
/// </summary>
sealed class RuleBudget(CancellationToken caller = default)
{
    const int MostOfRule = 1_000_000, MostOfRequest = 5_000_000, BetweenLooks = 10_000;
    long _ofRule, _ofRequest, _nextLook;

    /// <exception cref="Http.RefusedException">The rules before have taken what a request may.</exception>
    public void BeginRule()
    {
        if (_ofRequest > MostOfRequest)
            throw new Http.RefusedException(400, "the rules of these flags take too many steps: ask for one by flag_key");
        _ofRule = 0;
    }

    /// <exception cref="JsonLogicException">It is more than a rule may take.</exception>
    public void Spend(long units)
    {
        _ofRule += units;
        _ofRequest += Math.Min(units, MostOfRule);
        if (_ofRequest >= _nextLook)
        {
            caller.ThrowIfCancellationRequested();
            _nextLook = _ofRequest + BetweenLooks;
        }
        if (_ofRule > MostOfRule)
            throw new JsonLogicException("the rule takes too many steps");
    }

    /// <summary>Spends the size of a value: a list that a rule has built may hold itself many times over, and each time counts.</summary>
    public void SpendSize(object? value)
    {
        if (value is string text)
        {
            Spend(text.Length);
            return;
        }
        if (value is not List<object?>)
            return;
        var left = new Stack<object?>([value]);
        while (left.TryPop(out var next))
        {
            if (next is string of)
            {
                Spend(of.Length);
                continue;
            }
            if (next is not List<object?> list)
                continue;
            Spend(list.Count + 1);
            foreach (var item in list)
            {
                if (item is string or List<object?>)
                    left.Push(item);
            }
        }
    }
}
