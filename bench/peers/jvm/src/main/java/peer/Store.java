package peer;

import static com.mongodb.client.model.Filters.in;
import static com.mongodb.client.model.Projections.include;

import com.mongodb.WriteConcern;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.InsertManyOptions;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bson.Document;

/** A batch of events into MongoDB: two reads, then two writes; a crash between the writes leaves only the first. */
final class Store implements AutoCloseable {
    private final MongoClient client;
    private final MongoCollection<Document> shipments;
    private final MongoCollection<Document> events;

    Store(String uri, String database) {
        client = MongoClients.create(uri);
        var db = client.getDatabase(database).withWriteConcern(WriteConcern.MAJORITY.withJournal(true));
        shipments = db.getCollection("shipments");
        events = db.getCollection("status_events");
    }

    /** Apply a batch, and return what it changed. */
    List<Change> apply(List<Event> batch) {
        var judgement = new Judgement(recorded(batch), states(batch));
        batch.forEach(judgement::judge);
        if (!judgement.changes().isEmpty()) {
            shipments.bulkWrite(judgement.updates(), new BulkWriteOptions().ordered(false));
        }
        if (!judgement.audit().isEmpty()) {
            events.insertMany(judgement.audit(), new InsertManyOptions().ordered(false));
        }
        return judgement.changes();
    }

    private Set<String> recorded(List<Event> batch) {
        var ids = batch.stream().map(Event::id).toList();
        var found = new HashSet<String>();
        events.find(in("_id", ids)).projection(include("_id")).forEach(each -> found.add(each.getString("_id")));
        return found;
    }

    private Map<String, State> states(List<Event> batch) {
        var numbers = batch.stream().map(Event::subject).distinct().toList();
        var found = new HashMap<String, State>();
        shipments.find(in("_id", numbers)).projection(include("client_id", "current_status", "version"))
                .forEach(each -> found.put(each.getString("_id"), State.of(each)));
        return found;
    }

    @Override
    public void close() {
        client.close();
    }

    /** A shipment, as far as decisions and changes need it. */
    record State(String clientId, String status, int version) {
        static State of(Document document) {
            return new State(
                    document.getString("client_id"),
                    document.getString("current_status"),
                    document.getInteger("version"));
        }

        State with(String next) {
            return new State(clientId, next, version + 1);
        }
    }
}
