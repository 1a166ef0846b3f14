namespace MixpanelConnector.Import.Map;

/// <summary>A condition on a record.</summary>
abstract class MappingCondition
{
    /// <summary>Whether it holds. What it reads is only tested: it does not become part of the result.</summary>
    public bool Holds(RecordView record, in Scope scope)
    {
        var before = record.Tree.IsTest;
        record.Tree.IsTest = true;
        try
        {
            return IsMet(record, in scope);
        }
        finally
        {
            record.Tree.IsTest = before; // also after text that is not valid Unicode
        }
    }

    protected abstract bool IsMet(RecordView record, in Scope scope);
}

/// <summary>A value equals one of several texts; numbers and booleans are compared as written. An object or a list equals none.</summary>
sealed class EqualsOneOf(MappingValue value, IReadOnlyList<byte[]> texts) : MappingCondition
{
    protected override bool IsMet(RecordView record, in Scope scope)
    {
        var found = value.Read(record, in scope);
        if (!found.IsThere || MappingValue.IsLostIn(record, in found)) return false;
        var text = record.TextOf(in found);
        foreach (var one in texts)
            if (text.SequenceEqual(one)) return true;
        return false;
    }
}

/// <summary>A value begins or ends with one of several texts.</summary>
sealed class BeginsOrEnds(MappingValue value, IReadOnlyList<byte[]> texts, bool ends) : MappingCondition
{
    protected override bool IsMet(RecordView record, in Scope scope)
    {
        var found = value.Read(record, in scope);
        if (!found.IsThere) return false;
        var text = record.TextOf(in found);
        foreach (var one in texts)
            if (ends ? text.EndsWith(one) : text.StartsWith(one)) return true;
        return false;
    }
}

/// <summary>A value is present: not missing, and neither blank nor empty.</summary>
sealed class IsPresent(MappingValue value, bool wanted) : MappingCondition
{
    protected override bool IsMet(RecordView record, in Scope scope) => value.Read(record, in scope).IsThere == wanted;
}

/// <summary>A value is present, or is blank or empty.</summary>
sealed class Exists(MappingValue value, bool wanted) : MappingCondition
{
    protected override bool IsMet(RecordView record, in Scope scope)
    {
        var before = record.KeepsEmpty;
        record.KeepsEmpty = true;
        try
        {
            return value.Read(record, in scope).IsThere == wanted;
        }
        finally
        {
            record.KeepsEmpty = before;
        }
    }
}

/// <summary>Two values are present and equal as text.</summary>
sealed class IsSame(MappingValue one, MappingValue other) : MappingCondition
{
    protected override bool IsMet(RecordView record, in Scope scope)
    {
        var (first, second) = (one.Read(record, in scope), other.Read(record, in scope));
        return first.IsThere && second.IsThere && record.TextOf(in first).SequenceEqual(record.TextOf(in second));
    }
}

sealed class AllHold(IReadOnlyList<MappingCondition> conditions) : MappingCondition
{
    protected override bool IsMet(RecordView record, in Scope scope)
    {
        foreach (var condition in conditions)
            if (!condition.Holds(record, in scope)) return false;
        return true;
    }
}

sealed class AnyHolds(IReadOnlyList<MappingCondition> conditions) : MappingCondition
{
    protected override bool IsMet(RecordView record, in Scope scope)
    {
        foreach (var condition in conditions)
            if (condition.Holds(record, in scope)) return true;
        return false;
    }
}

sealed class DoesNotHold(MappingCondition condition) : MappingCondition
{
    protected override bool IsMet(RecordView record, in Scope scope) => !condition.Holds(record, in scope);
}
