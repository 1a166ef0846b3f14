using MixpanelConnector.Storage;

namespace MixpanelConnector.ObjectStorage.Tests;

public sealed class KeyPatternTests
{
    [Theory]
    [InlineData("a/*.json", "a/b.json", true)]
    [InlineData("a/*.json", "a/b/c.json", false)]
    [InlineData("a/**", "a/b/c.json", true)]
    [InlineData("a/**/c.json", "a/c.json", true)]
    [InlineData("a/**/c.json", "a/b/d/c.json", true)]
    [InlineData("a/**/c.json", "a/bc.json", false)]
    [InlineData("a**c", "a/b/c", true)]
    [InlineData("a/?.json", "a/\U0001F600.json", true)]
    [InlineData("a?b", "a/b", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[!a-c]x", "bx", false)]
    [InlineData("[^a]x", "/x", false)]
    [InlineData("[]]x", "]x", true)]
    [InlineData("a[b", "a[b", true)]
    [InlineData("100%25*", "100%25x", true)]
    [InlineData("**/**/a", "a", true)]
    [InlineData("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void A_key_matches(string pattern, string key, bool matches) => Assert.Equal(matches, new KeyPattern(pattern).Matches(key));

    [Fact]
    public void Keys_are_relative_to_the_folder_before_the_first_wildcard() =>
        Assert.Equal(("logs/a", "logs/"), (new KeyPattern("logs/a*/x").Literal, new KeyPattern("logs/a*/x").Folder));
}
