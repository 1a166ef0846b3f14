using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Converts exceptions of a handler to a response in the error format of its API.</summary>
static class Guard
{
    public static RequestDelegate With(this RequestDelegate handler, ErrorShape shape) =>
        async context =>
        {
            var (status, error) = (0, "");
            try
            {
                await handler(context).ConfigureAwait(false);
                return;
            }
            catch (RefusedException e)
            {
                (status, error) = (e.Status, e.Message);
            }
            catch (BadHttpRequestException e)
            {
                (status, error) = (e.StatusCode, e.Message);
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                return; // there is no client left to respond to
            }
            catch (Exception e) when (!context.Response.HasStarted && (e is StoreException || StoreException.IsBehind(e)))
            {
                (status, error) =
                    (507, $"the embedded Mixpanel's store cannot be written to: free disk space and restart it ({e.Message})"); // Mixpanel has no such answer
            }
            catch (Exception e) when (!context.Response.HasStarted)
            {
                (status, error) = (500, $"the emulator failed: {e.GetType().Name}");
            }
            if (context.Response.HasStarted) context.Abort();
            else await context.ErrorAsync(shape, status, error).ConfigureAwait(false);
        };
}
