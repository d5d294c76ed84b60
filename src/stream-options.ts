import type { StreamDoorOptions } from './gateway/stream/index.ts';
import type { KoraConfig } from './platform/config.ts';

/** What the configuration says of the stream door. */
export function streamOptionsOf(
  config: KoraConfig,
): Pick<StreamDoorOptions, 'host' | 'port' | 'transport' | 'origins' | 'trustedProxies'> &
  Required<Pick<StreamDoorOptions, 'limits'>> {
  return {
    host: config.host,
    port: config.streamPort,
    transport: config.streamTransport,
    origins: config.allowedOrigins,
    trustedProxies: config.httpTrustedProxies,
    limits: {
      connectionsMax: config.streamConnectionsMax,
      connectionsPerPrincipalMax: config.streamConnectionsPerPrincipalMax,
      connectionsPerAddressMax: config.streamConnectionsPerAddressMax,
      subscriptionsMax: config.streamSubscriptionsMax,
      subscriptionsPerPrincipalMax: config.streamSubscriptionsPerPrincipalMax,
      subscriptionsPerAddressMax: config.streamSubscriptionsPerAddressMax,
      subscriptionsInAllMax: config.streamSubscriptionsInAllMax,
      messageBytesMax: config.streamMessageBytesMax,
      messagesPerSecond: config.streamMessagesPerSecond,
      messagesAtOnce: config.streamMessagesAtOnce,
      bufferedBytesMax: config.streamBufferedBytesMax,
      recheckMs: config.streamRecheckMs,
    },
  };
}
