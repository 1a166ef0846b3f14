namespace System.Runtime.CompilerServices;

/// <summary>The compiler requires this type for init-only properties.</summary>
static class IsExternalInit;
