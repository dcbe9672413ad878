package recording;

import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.advisor.MessageChatMemoryAdvisor;
import org.springframework.ai.chat.memory.ChatMemory;
import org.springframework.ai.chat.memory.MessageWindowChatMemory;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Spring AI 1 with OpenAI: each call of a tool loop states what the loop used until then. */
@SpringBootApplication
public class Program {
    /** What the model may call. */
    public static final class Tools {
        @Tool(name = "get_weather", description = "The weather of a city")
        public String weather(String city) {
            return city + " 20C";
        }
    }

    public static void main(String[] arguments) {
        SpringApplication.run(Program.class, arguments).close();
    }

    /** Spring AI writes prompts and answers into its log alone. */
    @Bean
    Turns turns() {
        return new Turns(false);
    }

    @Bean
    CommandLineRunner conversations(Turns turns, OpenAiChatModel gpt, ObservationRegistry observations) {
        return ignored -> {
            ChatClient first = client(gpt, observations);
            for (String said : List.of("Hello Spring", "weather in Berlin", "Grüße 🙂", "please fail")) {
                turns.turn("spring1-1", said, List.of(), () -> asked(first, "spring1-1", said).call().content());
            }
            for (String said : List.of("a streamed one", "weather, streamed")) {
                // Streamed, the calls of a loop carry the ID of the last response all.
                boolean callsAreTold = !said.startsWith("weather");
                turns.turn("spring1-2", said, List.of(), callsAreTold, () -> streamed(asked(first, "spring1-2", said)));
                // The spans of a stream end after its last piece.
                Thread.sleep(500);
            }
        };
    }

    private static ChatClient client(ChatModel model, ObservationRegistry observations) {
        ChatMemory memory = MessageWindowChatMemory.builder().build();
        return ChatClient.create(model, observations)
                .mutate()
                .defaultAdvisors(MessageChatMemoryAdvisor.builder(memory).build())
                .defaultTools(new Tools())
                .build();
    }

    private static ChatClient.ChatClientRequestSpec asked(ChatClient client, String conversation, String said) {
        return client.prompt()
                .system("Be brief.")
                .user(said)
                .advisors(advisor -> advisor.param(ChatMemory.CONVERSATION_ID, conversation));
    }

    private static String streamed(ChatClient.ChatClientRequestSpec request) {
        return String.join("", request.stream().content().collectList().block());
    }
}
