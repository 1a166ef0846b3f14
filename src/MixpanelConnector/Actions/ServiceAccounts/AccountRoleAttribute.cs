using System.ComponentModel.DataAnnotations;

namespace MixpanelConnector;

/// <summary>Limits a text to the roles that a service account can have.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class AccountRoleAttribute() : AllowedValuesAttribute([.. Names])
{
    public static string[] Names { get; } = ["owner", "admin", "analyst", "consumer"];
}
