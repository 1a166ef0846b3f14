#pragma warning disable IDE0130 // the names of .NET 9
namespace System.Runtime.CompilerServices;
#pragma warning restore IDE0130

/// <summary>The attribute that the compiler recognizes by name.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Constructor | AttributeTargets.Property, Inherited = false)]
sealed class OverloadResolutionPriorityAttribute(int priority) : Attribute
{
    public int Priority => priority;
}
