namespace MixpanelConnector;

/// <summary>Enters an action into the catalogue of its assembly.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
public abstract class ActionAttribute : Attribute
{
    private protected ActionAttribute() { }

    internal abstract ActionDescriptor Describe();
}

/// <summary>Enters an action into the catalogue of its assembly. Written in the action's own file, it is all the registration there is.</summary>
/// <typeparam name="TAction">The action.</typeparam>
/// <typeparam name="TInput">Its input.</typeparam>
/// <typeparam name="TOutput">Its output.</typeparam>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
public sealed class ActionAttribute<TAction, TInput, TOutput> : ActionAttribute
    where TAction : IAction<TInput, TOutput>
    where TInput : class
    where TOutput : class
{
    internal override ActionDescriptor Describe() => new ActionDescriptor<TAction, TInput, TOutput>();
}
