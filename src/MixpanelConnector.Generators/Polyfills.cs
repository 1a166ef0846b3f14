namespace System.Runtime.CompilerServices;

/// <summary>What the compiler looks for where a property is set at the beginning only.</summary>
static class IsExternalInit;
