using System.Text.Json;
using MixpanelConnector.Tool.Surfaces.Mcp;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MixpanelConnector.Tool.Tests.Mcp;

public sealed class ToolSelectionTests
{
    const string Usual = "create_service_account get_all_service_accounts get_event_names get_event_properties get_event_property_values get_top_events "
        + "import_events query_event_counts query_event_property_counts query_user_profiles track_event";

    [Fact]
    public void Without_options_the_usual_actions_and_two_tools_are_offered()
    {
        Assert.Equal($"{Usual} find_actions run_action", Offered(ToolSelection.Default, mayWrite: true));
        Assert.Equal(
            $"{Usual.Replace("create_service_account ", "", StringComparison.Ordinal).Replace("import_events ", "", StringComparison.Ordinal).Replace(" track_event", "", StringComparison.Ordinal)} find_actions run_action",
            Offered(ToolSelection.Default, mayWrite: false));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_list_of_tools_stays_below_40_KB(bool mayWrite)
    {
        var list = JsonSerializer.SerializeToUtf8Bytes(new ListToolsResult { Tools = [.. Tools.Offered(ToolSelection.Default, mayWrite)] },
            McpJsonUtilities.DefaultOptions);
        Assert.InRange(list.Length, 1, 40_000);
    }

    [Theory]
    [InlineData("annotations")]
    [InlineData("Annotations")]
    [InlineData("annotations,lexicon")]
    [InlineData("annotations, lexicon")]
    [InlineData("user_profiles")]
    [InlineData("feature-flags,gdpr,experiments")]
    public void A_group_is_offered_as_tools_of_their_own(string groups)
    {
        var names = groups.ToLowerInvariant().Replace('_', '-').Split(',', StringSplitOptions.TrimEntries);
        var actions = ActionCatalogue.Actions.Where(action => names.Contains(action.Group.Name, StringComparer.Ordinal)).ToList();
        var selection = ToolSelection.Parse([groups]);

        Assert.Equal(string.Join(' ', [.. actions.Where(action => action.CanBeUndone).Select(action => action.Name), "find_actions", "run_action"]),
            Offered(selection, mayWrite: true));
        Assert.Equal(
            string.Join(' ', [.. actions.Where(action => action.Effect is ActionEffect.Read).Select(action => action.Name), "find_actions", "run_action"]),
            Offered(selection, mayWrite: false));
    }

    [Theory]
    [InlineData("all")]
    [InlineData("annotations", "all")]
    [InlineData("ALL,annotations")]
    public void All_groups_are_offered_without_what_cannot_be_undone(params string[] values) =>
        Assert.Equal(
            string.Join(' ', [.. ActionCatalogue.Actions.Where(action => action.CanBeUndone).Select(action => action.Name), "find_actions", "run_action"]),
            Offered(ToolSelection.Parse(values), mayWrite: true));

    [Theory]
    [InlineData("annotation", "Did you mean annotations?")]
    [InlineData("reports,lexikon", "Did you mean lexicon?")]
    [InlineData("all,lexikon", "Did you mean lexicon?")]
    [InlineData("list_annotations", "list_annotations is an action of the group annotations.")]
    [InlineData("list-annotations", "list_annotations is an action of the group annotations.")]
    [InlineData("cheese", "The groups: events,")]
    [InlineData("", "The groups: events,")]
    [InlineData("reports,", "The groups: events,")]
    public async Task An_unknown_group_is_2_with_the_near_name(string groups, string told)
    {
        using var tool = new Tool();
        foreach (var command in (string[])["mcp", "serve"])
        {
            var run = await tool.RunAsync(command, "--tools", groups);
            Assert.Equal(2, run.Exit);
            Assert.Contains(told, run.Err, StringComparison.Ordinal);
            Assert.Empty(run.Out);
        }
    }

    [Fact]
    public void Hints_are_those_of_the_descriptor()
    {
        foreach (var mayWrite in (bool[])[false, true])
        {
            foreach (var tool in Tools.Offered(ToolSelection.All, mayWrite))
            {
                if (ActionCatalogue.Find(tool.Name) is { } action)
                    Assert.Equal((action.Effect is ActionEffect.Read, action.Effect is ActionEffect.Update or ActionEffect.Delete, action.IsRepeatable),
                        (tool.Annotations!.ReadOnlyHint!.Value, tool.Annotations.DestructiveHint!.Value, tool.Annotations.IdempotentHint!.Value));
                else if (tool.Name == AnyAction.Run)
                    Assert.Equal((!mayWrite, mayWrite, !mayWrite),
                        (tool.Annotations!.ReadOnlyHint!.Value, tool.Annotations.DestructiveHint!.Value, tool.Annotations.IdempotentHint!.Value));
                else
                    Assert.True(tool.Annotations!.ReadOnlyHint);
            }
        }
    }

    static string Offered(ToolSelection selection, bool mayWrite) => string.Join(' ', Tools.Offered(selection, mayWrite).Select(tool => tool.Name));
}
