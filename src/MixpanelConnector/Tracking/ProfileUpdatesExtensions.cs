using System.Text.Json.Serialization.Metadata;

namespace MixpanelConnector;

/// <summary>
/// Updates of profiles from objects whose types have a JSON contract. These are extension methods so that <c>Set("name", null)</c> means a property without a
/// value in every version of C#.
/// </summary>
public static class ProfileUpdatesExtensions
{
    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="profile">The profile.</param>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract of its type, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public static bool Set<T>(this PropertyUpdates profile, T properties, JsonTypeInfo<T> type)
        where T : class => profile.Send("$set", new(properties, type));

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="profile">The profile.</param>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract of its type, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public static bool SetOnce<T>(this PropertyUpdates profile, T properties, JsonTypeInfo<T> type)
        where T : class => profile.Send("$set_once", new(properties, type));

    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="profile">The profile.</param>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract of its type, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask SetAsync<T>(this PropertyUpdates profile, T properties, JsonTypeInfo<T> type, CancellationToken cancellationToken = default)
        where T : class => profile.SendAsync("$set", new(properties, type), cancellationToken);

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="profile">The profile.</param>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract of its type, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask SetOnceAsync<T>(this PropertyUpdates profile, T properties, JsonTypeInfo<T> type, CancellationToken cancellationToken = default)
        where T : class => profile.SendAsync("$set_once", new(properties, type), cancellationToken);
}
