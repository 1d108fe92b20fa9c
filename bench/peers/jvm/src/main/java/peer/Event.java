package peer;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Map;

/** An event as it is in the topic: a CloudEvent. */
@JsonIgnoreProperties(ignoreUnknown = true)
record Event(String id, String subject, String time, String recordedtime, String submittedby, Data data) {
    private static final ObjectReader READER = new ObjectMapper().readerFor(Event.class);

    /** What was reported. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Data(String status, String source, Map<String, Double> location, String notes) {}

    static Event from(byte[] json) {
        try {
            return READER.readValue(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Instant instant(String text) {
        return OffsetDateTime.parse(text).toInstant();
    }
}
