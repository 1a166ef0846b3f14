using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for annotations.</summary>
static class AnnotationActions
{
    public static readonly ActionGroup Group = new("annotations", "Mark moments, such as a release, in the project's reports.", Api.App,
        "/api/app/projects/{project_id}/annotations",
        options => new AnnotationsJson(options))
    { HasEnvelope = true, Keywords = "note comment mark chart release deploy" };

    public static readonly ActionSpec<ListAnnotationsInput, ResultList<Annotation>> List = new(Group, "list_annotations", "list-all-annotations-for-project",
        Endpoint.Get())
    {
        Check = static input =>
        {
            if (input.ToDate < input.FromDate) throw MixpanelException.Invalid("to_date", "to_date must not be before from_date.");
        },
    };

    public static readonly ActionSpec<CreateAnnotationInput, Annotation> Create = new(Group, "create_annotation", "create-annotation", Endpoint.Post());

    public static readonly ActionSpec<AnnotationId, Annotation> Get = new(Group, "get_annotation", "get-annotation", Endpoint.Get("/{annotation_id}"));

    public static readonly ActionSpec<UpdateAnnotationInput, Annotation> Update = new(Group, "update_annotation", "patch-annotation",
        Endpoint.Patch("/{annotation_id}"))
    {
        SafeToRepeat = "the text and tags are set",
    };

    public static readonly ActionSpec<AnnotationId, DeletedAnnotation> Delete = new(Group, "delete_annotation", "delete-annotation",
        Endpoint.Delete("/{annotation_id}"))
    { SafeToRepeat = "a deleted annotation stays deleted", Gone = input => new() { Id = input.Id } };

    public static readonly ActionSpec<NoInput, ResultList<AnnotationTag>> ListTags =
        new(Group, "list_annotation_tags", "get-annotation-tags", Endpoint.Get("/tags"));

    public static readonly ActionSpec<CreateAnnotationTagInput, AnnotationTag> CreateTag =
        new(Group, "create_annotation_tag", "create-annotation-tag", Endpoint.Post("/tags"));
}

/// <summary>The annotations to list.</summary>
public sealed record ListAnnotationsInput
{
    /// <summary>The first day, such as 2026-11-01. Default: no limit.</summary>
    [WireName("fromDate")]
    public DateOnly? FromDate { get; init; }

    /// <summary>The last day, such as 2026-11-30; inclusive. Default: no limit.</summary>
    [WireName("toDate")]
    public DateOnly? ToDate { get; init; }
}

/// <summary>The annotation to create.</summary>
public sealed record CreateAnnotationInput
{
    /// <summary>The time, as 2026-01-31 13:00:00, in the project's time zone.</summary>
    [RegularExpression(TextForms.LocalTime)]
    public required string Date { get; init; }

    /// <summary>The text.</summary>
    [Size(1)]
    public required string Description { get; init; }

    /// <summary>The ids of its tags. Default: none.</summary>
    [ItemRange(1)]
    public IReadOnlyList<long>? Tags { get; init; }
}

/// <summary>Identifies an annotation.</summary>
public sealed record AnnotationId
{
    /// <summary>The id of the annotation.</summary>
    [JsonPropertyName("annotation_id")]
    [Range(1, long.MaxValue)]
    public required long Id { get; init; }
}

/// <summary>The changes to an annotation. Its time cannot be changed.</summary>
public sealed record UpdateAnnotationInput
{
    /// <summary>The id of the annotation.</summary>
    [Range(1, long.MaxValue)]
    public required long AnnotationId { get; init; }

    /// <summary>The new text. Default: unchanged.</summary>
    public string? Description { get; init; }

    /// <summary>The ids of all its tags. Default: unchanged.</summary>
    [ItemRange(1)]
    public IReadOnlyList<long>? Tags { get; init; }
}

/// <summary>The tag to create.</summary>
public sealed record CreateAnnotationTagInput
{
    /// <summary>The name of the tag.</summary>
    [Size(1)]
    public required string Name { get; init; }
}

/// <summary>An annotation, as Mixpanel returns it.</summary>
public sealed record Annotation : MixpanelObject
{
    /// <summary>The id of the annotation.</summary>
    public required long Id { get; init; }

    /// <summary>The time, as 2026-01-31 13:00:00 in the project's time zone, or with an offset.</summary>
    public required string Date { get; init; }

    /// <summary>The text.</summary>
    public required string Description { get; init; }

    /// <summary>Its tags.</summary>
    public IReadOnlyList<AnnotationTag>? Tags { get; init; }
}

/// <summary>A tag of annotations, as Mixpanel returns it.</summary>
public sealed record AnnotationTag : MixpanelObject
{
    /// <summary>The id of the tag.</summary>
    public required long Id { get; init; }

    /// <summary>The name of the tag.</summary>
    public required string Name { get; init; }
}

/// <summary>The deleted annotation.</summary>
public sealed record DeletedAnnotation
{
    /// <summary>The id of the annotation.</summary>
    public required long Id { get; init; }
}

[JsonSerializable(typeof(ListAnnotationsInput))]
[JsonSerializable(typeof(CreateAnnotationInput))]
[JsonSerializable(typeof(AnnotationId))]
[JsonSerializable(typeof(UpdateAnnotationInput))]
[JsonSerializable(typeof(CreateAnnotationTagInput))]
[JsonSerializable(typeof(NoInput))]
[JsonSerializable(typeof(ResultList<Annotation>))]
[JsonSerializable(typeof(ResultList<AnnotationTag>))]
[JsonSerializable(typeof(DeletedAnnotation))]
sealed partial class AnnotationsJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Lists the annotations of the project.</summary>
    /// <example>{"from_date":"2026-01-01","to_date":"2026-12-31"}</example>
    public ValueTask<ResultList<Annotation>> ListAnnotationsAsync(ListAnnotationsInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(AnnotationActions.List, input ?? new(), cancellationToken);

    /// <summary>Creates an annotation.</summary>
    /// <example>{"date":"2026-01-31 13:00:00","description":"Release 7"}</example>
    public ValueTask<Annotation> CreateAnnotationAsync(CreateAnnotationInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(AnnotationActions.Create, input, cancellationToken);

    /// <summary>Retrieves an annotation.</summary>
    /// <example>{"annotation_id":1}</example>
    public ValueTask<Annotation> GetAnnotationAsync(AnnotationId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(AnnotationActions.Get, input, cancellationToken);

    /// <summary>Changes the text or the tags of an annotation.</summary>
    /// <example>{"annotation_id":1,"description":"Release 7.1"}</example>
    public ValueTask<Annotation> UpdateAnnotationAsync(UpdateAnnotationInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(AnnotationActions.Update, input, cancellationToken);

    /// <summary>Deletes an annotation.</summary>
    /// <example>{"annotation_id":1}</example>
    public ValueTask<DeletedAnnotation> DeleteAnnotationAsync(AnnotationId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(AnnotationActions.Delete, input, cancellationToken);

    /// <summary>Lists the tags that annotations can have.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<AnnotationTag>> ListAnnotationTagsAsync(NoInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(AnnotationActions.ListTags, input ?? new(), cancellationToken);

    /// <summary>Creates a tag for annotations.</summary>
    /// <example>{"name":"release"}</example>
    public ValueTask<AnnotationTag> CreateAnnotationTagAsync(CreateAnnotationTagInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(AnnotationActions.CreateTag, input, cancellationToken);
}
