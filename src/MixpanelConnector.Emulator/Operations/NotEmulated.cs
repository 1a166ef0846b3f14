using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>All other operations: reports explicitly that they are not emulated, never something that looks like success.</summary>
static class NotEmulated
{
    public static Task AnswerAsync(HttpContext context) =>
        context.ErrorAsync(ErrorShapes.For(context.Request.Path), StatusCodes.Status501NotImplemented,
            $"{context.Request.Method} {context.Request.Path} is not emulated");
}
