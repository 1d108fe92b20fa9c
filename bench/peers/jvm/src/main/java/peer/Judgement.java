package peer;

import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Updates.combine;
import static com.mongodb.client.model.Updates.inc;
import static com.mongodb.client.model.Updates.pushEach;
import static com.mongodb.client.model.Updates.set;

import com.mongodb.client.model.UpdateOneModel;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bson.Document;
import peer.Store.State;

/** Decisions about the events of a batch, in order, and the writes that follow from them. */
final class Judgement {
    private static final Map<String, Set<String>> FOLLOWING = Map.of(
            "created", Set.of("picked_up", "cancelled"),
            "picked_up", Set.of("in_warehouse", "cancelled"),
            "in_warehouse", Set.of("in_transit", "cancelled"),
            "in_transit", Set.of("delivered"));

    private final Set<String> seen;
    private final Map<String, State> states;
    private final Date now = Date.from(Instant.now());
    private final List<Document> audit = new ArrayList<>();
    private final List<Change> changes = new ArrayList<>();
    private final Map<String, List<Document>> moved = new HashMap<>();

    Judgement(Set<String> seen, Map<String, State> states) {
        this.seen = seen;
        this.states = states;
    }

    void judge(Event event) {
        if (!seen.add(event.id())) {
            return;
        }
        var state = states.get(event.subject());
        var isLegal = state != null
                && FOLLOWING.getOrDefault(state.status(), Set.of()).contains(event.data().status());
        audit.add(auditDocument(event, isLegal));
        if (isLegal) {
            var next = state.with(event.data().status());
            states.put(event.subject(), next);
            changes.add(new Change(event, state.clientId(), state.status(), next.version()));
            moved.computeIfAbsent(event.subject(), number -> new ArrayList<>()).add(historyEntry(event));
        }
    }

    List<Document> audit() {
        return audit;
    }

    List<Change> changes() {
        return changes;
    }

    List<UpdateOneModel<Document>> updates() {
        return moved.entrySet().stream().map(each -> update(each.getKey(), each.getValue())).toList();
    }

    private UpdateOneModel<Document> update(String number, List<Document> entries) {
        return new UpdateOneModel<>(
                eq("_id", number),
                combine(
                        set("current_status", states.get(number).status()),
                        set("updated_at", now),
                        inc("version", entries.size()),
                        pushEach("status_history", entries)));
    }

    private Document auditDocument(Event event, boolean isLegal) {
        var document = new Document("_id", event.id()).append("tracking_number", event.subject());
        describe(document, event);
        return document
                .append("received_at", Date.from(Event.instant(event.recordedtime())))
                .append("submitted_by", event.submittedby())
                .append("outcome", isLegal ? "applied" : "rejected")
                .append("reason", isLegal ? null : "INVALID_TRANSITION")
                .append("recorded_at", now);
    }

    private Document historyEntry(Event event) {
        var entry = new Document("event_id", event.id());
        describe(entry, event);
        return entry.append("recorded_at", now);
    }

    private static void describe(Document document, Event event) {
        var data = event.data();
        document.append("status", data.status())
                .append("timestamp", Date.from(Event.instant(event.time())))
                .append("source", data.source())
                .append("location", data.location() == null ? null : new Document(Map.copyOf(data.location())))
                .append("notes", data.notes());
    }
}
