using System.Text;
using System.Text.Json;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tests.Transport;

/// <summary>The classification of each answer, however unusual its format.</summary>
public class ReplyClassifierTests
{
    const string Refusal = """{"code":400,"error":"some data points in the request failed validation","failed_records":[{"index":1,"insert_id":"id-1","field":"properties.time","message":"'properties.time' is invalid: must not be missing"}],"num_records_imported":2,"status":"Bad Request"}""";
    static readonly MixpanelOptions Options = Given.Account();

    static Reply Answer(int status, string body) => Reply.Answer(status, Encoding.UTF8.GetBytes(body));

    static ImportVerdict Import(int status, string body, int sent = 3) => ReplyClassifier.ReadImport(Answer(status, body), sent, Options);

    static string Failed(string records, string rest = "") => $$"""{"code":400,"error":"x","failed_records":{{records}}{{rest}}}""";

    [Theory]
    [InlineData("""{"code":200,"num_records_imported":3,"status":"OK"}""", "OK")]
    [InlineData("""{"code":200,"num_records_imported":3,"status":1}""", "1")]
    [InlineData("""{"code":200,"num_records_imported":3}""", null)]
    [InlineData("""{"num_records_imported":3,"status":"OK"}""", "OK")]
    [InlineData("""{"code":200,"num_records_imported":3.0,"status":"ok"}""", "ok")]
    [InlineData("""{"code":"200","num_records_imported":"3","status":"OK"}""", "OK")]
    [InlineData("""  {"code":200,"num_records_imported":3,"status":"OK","new":[{}]}  """, "OK")]
    public void A_whole_success_whose_count_fits_is_accepted(string body, string? status)
    {
        var verdict = Import(200, body);
        Assert.Equal((VerdictKind.Accepted, 3L, status), (verdict.Kind, verdict.Imported, verdict.Status));
        Assert.Null(verdict.Error);
    }

    [Theory]
    [InlineData("2", 2)]
    [InlineData("4", 4)]
    [InlineData("0", 0)]
    [InlineData("\"2\"", 2)]
    public void A_success_whose_count_does_not_fit_is_miscounted(string count, int imported)
    {
        var verdict = Import(200, $$"""{"code":200,"num_records_imported":{{count}},"status":"OK"}""");
        Assert.Equal((VerdictKind.Miscounted, imported), (verdict.Kind, (int)verdict.Imported));
        Assert.Contains($"{imported} of 3", verdict.Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"index":1,"field":"x","message":"bad"}]""")]
    [InlineData("""["bad"]""")]
    [InlineData("""{"1":"bad"}""")]
    public void A_success_that_names_what_failed_contradicts_itself(string failed)
    {
        var body = $$"""{"code":200,"num_records_imported":3,"status":"OK","failed_records":{{failed}}}""";
        Assert.Equal(VerdictKind.Miscounted, Import(200, body).Kind);
        Assert.Equal(VerdictKind.Untrusted, ReplyClassifier.ReadLookupTable(Answer(200, body), 3, Options).Kind);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    public void A_success_with_an_empty_list_of_failures_is_accepted(string failed) =>
        Assert.Equal(VerdictKind.Accepted, Import(200, $$"""{"code":200,"num_records_imported":3,"status":"OK","failed_records":{{failed}}}""").Kind);

    [Theory]
    [InlineData(200, "")]
    [InlineData(200, "{}")]
    [InlineData(200, "null")]
    [InlineData(200, "1")]
    [InlineData(200, "[]")]
    [InlineData(200, "<html><body>Welcome</body></html>")]
    [InlineData(200, """{"code":200,"num_records_imported":3,"status":"OK""")]
    [InlineData(200, """{"code":200,"status":"OK"}""")]
    [InlineData(200, """{"\ud800":1,"code":200,"num_records_imported":3,"status":"OK"}""")]
    [InlineData(200, """{"code":200,"num_records_imported":3,"status":" \u202eOK"}""")]
    [InlineData(200, """{"code":200,"num_rec\ud800ords_imported":3,"status":"OK"}""")]
    [InlineData(200, """{"code":200,"num_records_imported":null,"status":"OK"}""")]
    [InlineData(200, """{"code":200,"num_records_imported":2.5,"status":"OK"}""")]
    [InlineData(200, """{"code":200,"num_records_imported":1e400,"status":"OK"}""")]
    [InlineData(200, """{"code":400,"num_records_imported":3,"status":"OK"}""")]
    [InlineData(200, """{"code":200,"num_records_imported":3,"status":"Bad Request"}""")]
    [InlineData(200, """{"code":200,"num_records_imported":3,"status":0}""")]
    [InlineData(201, """{"code":200,"num_records_imported":3,"status":"OK"}""")]
    [InlineData(204, "")]
    [InlineData(302, "")]
    [InlineData(304, "")]
    [InlineData(418, "{}")]
    public void What_does_not_say_success_in_whole_is_not_trusted(int status, string body)
    {
        var verdict = Import(status, body);
        Assert.Equal((VerdictKind.Untrusted, ErrorKind.Protocol, status), (verdict.Kind, verdict.Error!.Kind, verdict.Error.HttpStatus));
    }

    [Theory]
    [InlineData(401, VerdictKind.Unauthorized, ErrorKind.Unauthorized)]
    [InlineData(402, VerdictKind.Unauthorized, ErrorKind.Forbidden)]
    [InlineData(403, VerdictKind.Unauthorized, ErrorKind.Forbidden)]
    [InlineData(404, VerdictKind.Unauthorized, ErrorKind.NotFound)]
    [InlineData(413, VerdictKind.TooLarge, ErrorKind.TooLarge)]
    [InlineData(408, VerdictKind.Retry, ErrorKind.Unavailable)]
    [InlineData(429, VerdictKind.Retry, ErrorKind.RateLimited)]
    [InlineData(500, VerdictKind.Retry, ErrorKind.Unavailable)]
    [InlineData(502, VerdictKind.Retry, ErrorKind.Unavailable)]
    [InlineData(503, VerdictKind.Retry, ErrorKind.Unavailable)]
    [InlineData(599, VerdictKind.Retry, ErrorKind.Unavailable)]
    [InlineData(400, VerdictKind.Ambiguous, ErrorKind.Rejected)]
    public void Each_status_has_its_verdict(int status, object verdictKind, ErrorKind errorKind)
    {
        foreach (var body in (string[])
        [
            """{"code":0,"error":"no","status":"No"}""",
            "",
            "<html/>",
            "{",
            """{"code":200,"num_records_imported":3,"status":"OK"}""",
        ])
        {
            var verdict = Import(status, body);
            Assert.Equal(((VerdictKind)verdictKind, errorKind, status), (verdict.Kind, verdict.Error!.Kind, verdict.Error.HttpStatus));
        }
    }

    [Theory]
    [InlineData(400, """{"request":"/import","error":"Timeout Error."}""", true)]
    [InlineData(400, """{"code":400,"error":"timeout error","status":"Bad Request"}""", true)]
    [InlineData(422, """{"error":["Timeout Error."]}""", true)]
    [InlineData(403, "Timeout Error.", true)]
    [InlineData(400, " \n Timeout Error.\r\n", true)]
    [InlineData(400, "", false)]
    [InlineData(400, "{", false)]
    [InlineData(400, "{}", false)]
    [InlineData(400, "[\"Timeout Error.\"]", false)]
    [InlineData(400, """{"error":"Timeout Error. in property 'x'"}""", false)]
    [InlineData(400, """{"error":"\ud800"}""", false)]
    [InlineData(400, """{"error":null,"message":"Timeout Error."}""", false)]
    [InlineData(200, """{"error":"Timeout Error."}""", false)]
    [InlineData(501, """{"error":"Timeout Error."}""", false)]
    public void A_refusal_whose_words_say_that_the_time_was_wrong_is_unavailability(int status, string body, bool unavailable)
    {
        var verdict = Import(status, body);
        Assert.Equal(unavailable, verdict.Kind is VerdictKind.Retry);
        if (unavailable) Assert.Equal((ErrorKind.Unavailable, status), (verdict.Error!.Kind, verdict.Error.HttpStatus));
    }

    [Fact]
    public void A_try_without_an_answer_asks_to_try_again()
    {
        var failure = new MixpanelError(ErrorKind.Timeout, "late");
        var verdict = ReplyClassifier.ReadImport(Reply.None(failure, mayHaveArrived: true), 3, Options);
        Assert.Equal((VerdictKind.Retry, failure), (verdict.Kind, verdict.Error));
    }

    [Fact]
    public void A_refusal_that_names_its_records_leaves_the_others_imported()
    {
        var verdict = Import(400, Refusal);
        Assert.Equal((VerdictKind.Partial, 2L, "Bad Request"), (verdict.Kind, verdict.Imported, verdict.Status));
        Assert.Equal(
            new FailedRecord { Index = 1, InsertId = "id-1", Field = "properties.time", Message = "'properties.time' is invalid: must not be missing" },
            Assert.Single(verdict.Failed));
        Assert.Contains("some data points in the request failed validation", verdict.Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"index":1.0,"message":"m"}]""", "")]
    [InlineData("""[{"index":"1","message":"m"}]""", "")]
    [InlineData("""[{"index":1,"message":"m"}]""", ""","num_records_imported":2""")]
    [InlineData("""[{"index":1,"message":"m"}]""", ""","num_records_imported":"2" """)]
    [InlineData("""[{"index":1,"message":"m"}]""", ""","num_records_imported":null""")]
    [InlineData("""[{"index":1,"message":"m","code":7,"more":{}}]""", ""","status":0""")]
    public void Records_are_named_in_several_spellings(string records, string rest)
    {
        var verdict = Import(400, Failed(records, rest));
        Assert.Equal(VerdictKind.Partial, verdict.Kind);
        Assert.Equal(new FailedRecord { Index = 1, Message = "m" }, Assert.Single(verdict.Failed));
        Assert.Equal(2, verdict.Imported);
    }

    [Theory]
    [InlineData("""{"index":1,"insert_id":"a"}""", "a", "no reason given")]
    [InlineData("""{"index":1,"$insert_id":"a"}""", "a", "no reason given")]
    [InlineData("""{"index":1,"insert_id":"a","$insert_id":"b","message":"m"}""", "a", "m")]
    [InlineData("""{"index":1,"insert_id":null,"message":null}""", null, "no reason given")]
    [InlineData("""{"index":1,"insert_id":"\ud800","message":"\udc00"}""", null, "no reason given")]
    [InlineData("""{"index":1,"message":"two\r\nlines\u001b[31m\u202eend"}""", null, "two  lines [31m end")]
    public void The_fields_of_a_record_may_be_missing_or_hostile(string record, string? insertId, string message)
    {
        var failed = Assert.Single(Import(400, Failed($"[{record}]")).Failed);
        Assert.Equal((insertId, message), (failed.InsertId, failed.Message));
    }

    [Fact]
    public void Records_come_in_order_whatever_the_answer_does() =>
        Assert.Equal([0, 1, 2], Import(400, Failed("""[{"index":2},{"index":0},{"index":1}]""")).Failed.Select(record => record.Index));

    [Theory]
    [InlineData("[]", "")]
    [InlineData("{}", "")]
    [InlineData("null", "")]
    [InlineData("""["identity events are not allowed when project is using simplified identity management"]""", ""","num_records_imported":0""")]
    [InlineData("""[{"index":3}]""", "")]
    [InlineData("""[{"index":-1}]""", "")]
    [InlineData("""[{"index":1e30}]""", "")]
    [InlineData("""[{"index":0.5}]""", "")]
    [InlineData("""[{"index":null}]""", "")]
    [InlineData("""[{"message":"no index"}]""", "")]
    [InlineData("""[{"index":1},{"index":1}]""", "")]
    [InlineData("""[{"index":1},{"index":1.0}]""", "")]
    [InlineData("""[{"index":1},"text"]""", "")]
    [InlineData("""[{"index":1}]""", ""","num_records_imported":3""")]
    [InlineData("""[{"index":1}]""", ""","num_records_imported":0""")]
    public void A_refusal_that_does_not_add_up_is_unclear(string records, string rest) =>
        Assert.Equal(VerdictKind.Ambiguous, Import(400, Failed(records, rest)).Kind);

    [Theory]
    [InlineData("1")]
    [InlineData(" 1\n")]
    [InlineData("true")]
    [InlineData("""{"status":1,"error":null}""")]
    [InlineData("""{"status":1,"error":""}""")]
    [InlineData("""{"status":1}""")]
    [InlineData("""{"status":"1"}""")]
    [InlineData("""{"status":"ok"}""")]
    [InlineData("""{"status":"OK","num_good_events":1}""")]
    [InlineData("""{"status":true}""")]
    public void An_acknowledgement_is_read_as_text_and_as_json(string body) => Assert.Null(ReplyClassifier.ReadAcknowledgement(Answer(200, body), Options));

    [Theory]
    [InlineData("0", "gave no reason")]
    [InlineData("false", "gave no reason")]
    [InlineData("""{"status":0,"error":"data, missing or empty"}""", "data, missing or empty")]
    [InlineData("""{"status":1,"error":"but this"}""", "but this")]
    [InlineData("""{"status":"error","error":"no"}""", "no")]
    [InlineData("""{"status":0,"error":["a","b"]}""", """["a","b"]""")]
    [InlineData("""{"status":0,"error":null}""", "gave no reason")]
    public void A_refused_acknowledgement_says_why(string body, string reason)
    {
        var error = ReplyClassifier.ReadAcknowledgement(Answer(200, body), Options)!;
        Assert.Equal(ErrorKind.Rejected, error.Kind);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2")]
    [InlineData("11")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"status":1""")]
    [InlineData("""{"status":null}""")]
    [InlineData("""{"status":2}""")]
    [InlineData("<html>1</html>")]
    public void Anything_else_is_no_acknowledgement(string body) =>
        Assert.Equal(ErrorKind.Protocol, ReplyClassifier.ReadAcknowledgement(Answer(200, body), Options)!.Kind);

    [Fact]
    public void Refused_credentials_are_those_that_were_used()
    {
        var account = new ServiceAccountCredentials("robot", new MixpanelSecret("secret"));
        Assert.Contains("Check the user name, the secret, and", Refused(Options with { ServiceAccount = account, ProjectId = 1 }), StringComparison.Ordinal);
        Assert.Contains("Check the token, and", Refused(Options with { ServiceAccount = null, Token = "token" }), StringComparison.Ordinal);

        static string Refused(MixpanelOptions options) => ReplyClassifier.ErrorOf(Answer(401, ""), options).Message;
    }

    [Theory]
    [InlineData(401, ErrorKind.Unauthorized)]
    [InlineData(403, ErrorKind.Forbidden)]
    [InlineData(413, ErrorKind.TooLarge)]
    [InlineData(429, ErrorKind.RateLimited)]
    [InlineData(503, ErrorKind.Unavailable)]
    [InlineData(201, ErrorKind.Protocol)]
    [InlineData(204, ErrorKind.Protocol)]
    public void An_acknowledgement_needs_status_200(int status, ErrorKind kind) =>
        Assert.Equal(kind, ReplyClassifier.ReadAcknowledgement(Answer(status, "1"), Options)!.Kind);

    [Theory]
    [InlineData("""{"request":"/api/2.0/engage","error":"Invalid API endpoint"}""", "Invalid API endpoint")]
    [InlineData("""{"error":{"where":"bad"}}""", """{"where":"bad"}""")]
    [InlineData("""{"error":["a"]}""", """["a"]""")]
    [InlineData("""{"failed_records":["identity events are not allowed"]}""", """["identity events are not allowed"]""")]
    [InlineData("plain text", "plain text")]
    [InlineData("", "no reason given")]
    [InlineData("""{"error":"   "}""", "no reason given")]
    public void The_reason_is_found_in_every_error_form(string body, string reason)
    {
        var error = ReplyClassifier.ErrorOf(Answer(400, body), Options);
        Assert.Equal((ErrorKind.Rejected, $"Mixpanel refused the request: {reason}"), (error.Kind, error.Message));
    }

    [Fact]
    public void A_reason_is_one_short_line_without_control_characters()
    {
        var message = ReplyClassifier.ErrorOf(Answer(400, "a\u0000\u001b]52;c;x\u0007\u009b\u202e\u2028\n" + new string('é', 100_000)), Options).Message;
        Assert.InRange(message.Length, 200, 400);
        Assert.EndsWith("…", message, StringComparison.Ordinal);
        Assert.DoesNotContain(message, character => char.IsControl(character) || character is '\u202e' or '\u2028');
    }

    [Fact]
    public void A_reason_is_never_cut_within_a_character()
    {
        var message = ReplyClassifier.ErrorOf(Answer(400, "x" + string.Concat(Enumerable.Repeat("😀", 5000))), Options).Message;
        Assert.DoesNotContain('\uFFFD', message);
        Assert.All(message.EnumerateRunes(), rune => Assert.NotEqual(Rune.ReplacementChar, rune));
    }

    [Theory]
    [InlineData(200, """{"status":"error","error":"no such flag"}""", ErrorKind.Rejected)]
    [InlineData(200, "", ErrorKind.Protocol)]
    [InlineData(200, "<html/>", ErrorKind.Protocol)]
    [InlineData(200, """{"a":""", ErrorKind.Protocol)]
    [InlineData(202, "{}", ErrorKind.Protocol)]
    [InlineData(302, "{}", ErrorKind.Protocol)]
    [InlineData(400, "{}", ErrorKind.Rejected)]
    [InlineData(422, "{}", ErrorKind.Rejected)]
    [InlineData(402, """{"error":"Your plan does not allow API calls."}""", ErrorKind.Forbidden)]
    public void Json_is_given_only_for_a_success(int status, string body, ErrorKind kind) =>
        Assert.Equal(kind, Assert.Throws<MixpanelException>(() => ReplyClassifier.ReadJson(Answer(status, body), Options)).Error.Kind);

    [Theory]
    [InlineData(200)]
    [InlineData(201)]
    public void The_json_of_a_success_is_given(int status)
    {
        using var document = ReplyClassifier.ReadJson(Answer(status, """{"status":"ok","results":[1]}"""), Options);
        Assert.Equal(JsonValueKind.Array, document.RootElement.GetProperty("results").ValueKind);
    }
}
