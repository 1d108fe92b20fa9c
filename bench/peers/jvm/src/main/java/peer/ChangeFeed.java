package peer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The derived topics: every change, those with a location, and deliveries; acknowledged by all replicas. */
final class ChangeFeed implements AutoCloseable {
    private static final ObjectWriter WRITER = new ObjectMapper().writer();

    private final String prefix;
    private final KafkaProducer<String, byte[]> producer;

    private ChangeFeed(String prefix, KafkaProducer<String, byte[]> producer) {
        this.prefix = prefix;
        this.producer = producer;
    }

    /** Return a feed into the topics that begin with `prefix`; an empty one publishes nothing. */
    static ChangeFeed of(String prefix, String brokers) {
        return new ChangeFeed(prefix, prefix.isEmpty() ? null : new KafkaProducer<>(settings(brokers)));
    }

    private static Map<String, Object> settings(String brokers) {
        return Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers,
                ProducerConfig.ACKS_CONFIG, "all",
                ProducerConfig.COMPRESSION_TYPE_CONFIG, "snappy",
                ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class,
                ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    }

    /** Publish changes, and wait until they are acknowledged. */
    void publish(List<Change> changes) {
        if (producer == null) {
            return;
        }
        var sent = new ArrayList<Future<RecordMetadata>>();
        for (var change : changes) {
            var message = encode(change);
            for (var topic : topics(change)) {
                sent.add(producer.send(new ProducerRecord<>(prefix + topic, change.event().subject(), message)));
            }
        }
        producer.flush();
        sent.forEach(ChangeFeed::check);
    }

    private static void check(Future<RecordMetadata> sent) {
        try {
            sent.get();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException("not published", e);
        }
    }

    private static List<String> topics(Change change) {
        var topics = new ArrayList<>(List.of("shipments.changes"));
        if (change.event().data().status().equals("delivered")) {
            topics.add("shipments.delivered");
        }
        if (change.event().data().location() != null) {
            topics.add("shipments.location");
        }
        return topics;
    }

    private static byte[] encode(Change change) {
        var event = change.event();
        var data = new HashMap<String, Object>();
        data.put("event_id", event.id());
        data.put("tracking_number", event.subject());
        data.put("client_id", change.clientId());
        data.put("status", event.data().status());
        data.put("previous_status", change.previousStatus());
        data.put("version", change.version());
        data.put("timestamp", event.time());
        data.put("source", event.data().source());
        data.put("location", event.data().location());
        data.put("notes", event.data().notes());
        try {
            return WRITER.writeValueAsBytes(Map.of(
                    "specversion", "1.0",
                    "id", event.id(),
                    "source", "/peer",
                    "type", "waybill.shipment.changed.v1",
                    "subject", event.subject(),
                    "time", event.time(),
                    "data", data));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        if (producer != null) {
            producer.close();
        }
    }
}
