using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Turns what a handler throws into an answer in the shape of its API.</summary>
static class Guard
{
    public static RequestDelegate With(this RequestDelegate handler, ErrorShape shape)
    {
        // The database gives up for good at the first write that finds no room.
        var isFull = false;
        return async context =>
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
                return; // nobody is left to answer
            }
            catch (Exception e) when (!context.Response.HasStarted && (isFull |= IsFullDisk(e)))
            {
                (status, error) = (507, "the disk of the embedded Mixpanel's store is full: make room, and start it again"); // Mixpanel has no such answer
            }
            catch (Exception e) when (!context.Response.HasStarted)
            {
                (status, error) = (500, $"the emulator failed: {e.GetType().Name}");
            }
            if (context.Response.HasStarted)
                context.Abort();
            else
                await context.ErrorAsync(shape, status, error).ConfigureAwait(false);
        };
    }

    /// <summary>The database names the error of the system, or says how much of a write was done.</summary>
    static bool IsFullDisk(Exception e) =>
        e.ToString() is var text && (text.Contains("No space left", StringComparison.OrdinalIgnoreCase) || text.Contains("Could not write", StringComparison.OrdinalIgnoreCase));
}
