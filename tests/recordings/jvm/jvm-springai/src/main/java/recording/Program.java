package recording;

import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import org.springframework.ai.anthropic.AnthropicChatModel;
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

/** Spring AI: chat clients with OpenAI and Claude; the session is the conversation ID of the chat memory. */
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

    private static final List<String> READ = List.of("cache_read_tokens");
    private static final List<String> READ_AND_WRITTEN = List.of("cache_read_tokens", "cache_write_tokens");

    /** Spring AI writes prompts and answers into its log alone. */
    @Bean
    Turns turns() {
        return new Turns(false);
    }

    @Bean
    CommandLineRunner conversations(
            Turns turns, OpenAiChatModel gpt, AnthropicChatModel claude, ObservationRegistry observations) {
        return ignored -> {
            ChatClient first = client(gpt, observations);
            for (String said : List.of("Hello Spring", "weather in Berlin", "Grüße 🙂", "please fail")) {
                turns.turn("spring-1", said, READ, () -> asked(first, "spring-1", said).call().content());
            }
            // Of a stream Spring AI 2.0 keeps no cached tokens.
            for (String said : List.of("a streamed one", "weather, streamed")) {
                turns.turn("spring-2", said, List.of(), () -> streamed(asked(first, "spring-2", said)));
            }
            ChatClient second = client(claude, observations);
            for (String said : List.of("Hello Claude", "weather in Rome")) {
                turns.turn("spring-3", said, READ_AND_WRITTEN, () -> asked(second, "spring-3", said).call().content());
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
