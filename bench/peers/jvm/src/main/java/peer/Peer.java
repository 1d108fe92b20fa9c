package peer;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** The job with kafka-clients and MongoDB's synchronous driver: poll, apply, publish, commit. */
public final class Peer {
    private static final Duration POLL = Duration.ofMillis(200);

    /** Consume until SIGTERM; an error ends the process, and its batch comes again. */
    public static void main(String[] args) {
        var settings = System.getenv();
        var brokers = settings.get("KAFKA_BROKERS");
        try (var consumer = new KafkaConsumer<String, byte[]>(consumerSettings(brokers, settings.get("PEER_GROUP")));
                var store = new Store(settings.get("MONGO_URI"), settings.get("MONGO_DB"));
                var feed = ChangeFeed.of(settings.get("PEER_FEED"), brokers)) {
            wakeUpOnSigterm(consumer);
            consumer.subscribe(List.of(settings.get("PEER_TOPIC")));
            while (true) {
                var records = consumer.poll(POLL);
                if (records.isEmpty()) {
                    continue;
                }
                var events = StreamSupport.stream(records.spliterator(), false)
                        .map(record -> Event.from(record.value()))
                        .toList();
                feed.publish(store.apply(events));
                consumer.commitSync();
            }
        } catch (WakeupException stopped) {
            // SIGTERM
        }
    }

    private static Map<String, Object> consumerSettings(String brokers, String group) {
        return Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers,
                ConsumerConfig.GROUP_ID_CONFIG, group,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false,
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 500,
                ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class,
                ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    }

    private static void wakeUpOnSigterm(KafkaConsumer<?, ?> consumer) {
        var main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            consumer.wakeup();
            try {
                main.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
    }

    private Peer() {}
}
