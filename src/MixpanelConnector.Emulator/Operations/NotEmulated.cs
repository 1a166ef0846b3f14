using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>Everything else: said plainly, never answered with something that looks like success.</summary>
static class NotEmulated
{
    public static Task AnswerAsync(HttpContext context) =>
        context.ErrorAsync(ErrorShapes.For(context.Request.Path), StatusCodes.Status501NotImplemented, $"{context.Request.Method} {context.Request.Path} is not emulated");
}
