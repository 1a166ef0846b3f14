namespace MixpanelConnector.Tests.Import;

/// <summary>Messages name settings in the words of whoever reads them.</summary>
public sealed class MessageWordsTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    /// <summary>An interface that has other names.</summary>
    sealed class Words(string mark) : MessageWords
    {
        public override string RunAgain => $"{mark} again";

        public override string NameOf(string type, string property, string? value = null) => $"{mark}{property}{(value is null ? "" : $":{value}")}";
    }

    static readonly SettingText Whole = $"{Setting.FixTime} or {Setting.Restart}";
    static readonly SettingText Longer = $"before, {Whole}, after {3}: {Setting.ColumnTypes.With("{0}=text")}";

    [Fact]
    public void A_text_is_told_in_any_words()
    {
        Assert.Equal("before, ImportFixes.Time or ImportRequest.Restart, after 3: ImportRequest.ColumnTypes ({0}=text)", Longer.In(MessageWords.Default));
        Assert.Equal("before, ~Fix:time or ~Restart, after 3: ~ColumnTypes:{0}=text", Longer.In(new Words("~")));
        Assert.Equal("before, !Fix:time or !Restart, after 3: !ColumnTypes:{0}=text", Longer.In(new Words("!")));
        Assert.Equal(Longer.In(MessageWords.Default), Longer.ToString());
        SettingText plain = "{Setting.Restart} --restart";
        Assert.Same(plain.In(new Words("~")), plain.In(MessageWords.Default));
    }

    [Fact]
    public void A_text_is_made_once_for_the_same_words()
    {
        var words = new Words("~");
        Assert.Same(Longer.In(words), Longer.In(words));
    }

    [Theory]
    [InlineData(null, "ImportFixes.Ids converts a number to text")]
    [InlineData("~", "~Fix:ids converts a number to text")]
    [InlineData("!", "!Fix:ids converts a number to text")]
    public async Task An_import_has_the_words_of_its_request(string? mark, string advice)
    {
        await _run.RunAsync(_run.Request(_run.Folder.Write("in.ndjson", """{"event":"A","properties":{"time":1790000000,"distinct_id":5}}""" + "\n")) with
        {
            Words = mark is null ? null : new Words(mark),
        });
        Assert.EndsWith(advice, Assert.Single(_run.Diagnostics).Reason, StringComparison.Ordinal);
        Assert.Contains(advice, await File.ReadAllTextAsync(_run.DeadLetterPath, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_has_words_for_imports_that_have_none()
    {
        var request = _run.Request(_run.Folder.Write("in.ndjson", ""));
        _run.Options = _run.Options with { Words = new Words("~") };
        Assert.Contains("~ again; if it may be empty, add ~AllowEmpty.", Assert.Single((await _run.RunAsync(request)).Problems), StringComparison.Ordinal);
        Assert.Contains("! again; if it may be empty, add !AllowEmpty.",
            Assert.Single((await _run.RunAsync(request with { Words = new Words("!") })).Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_shared_properties_is_told_in_the_same_words()
    {
        var request = _run.Request(_run.Folder.Write("in.ndjson", ImportRun.Event(1))) with { Properties = """{"distinct_id":5}""", Words = new Words("~") };
        var error = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(request));
        Assert.EndsWith("~Fix:ids converts a number to text.", error.Error.Message, StringComparison.Ordinal);
    }
}
