//! Who reads what somebody else wrote, each as one function from bytes to the size of what it made of them.

use std::rc::Rc;

use breakwater::chat::{Delta, Gather, Losses, Request};
use breakwater::config::Quirks;
use breakwater::dialect::{Decoder, Dialect, Encoder, Manner, Recipient, chat, responses};
use breakwater::envelope::Envelope;
use breakwater::sse::{self, Frames};
use breakwater::time::Timestamp;
use breakwater::verdict::{About, Evidence, judge};

pub struct Reader {
    pub name: &'static str,
    pub read: fn(&[u8]) -> usize,
}

/// Inputs for a machine without the recordings, one for each thing that is read.
pub const BY_HAND: [&str; 12] = [
    r#"{"model":"m","messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"T"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"call_1","content":"R"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"auto","response_format":{"type":"json_object"},"stop":["a"],"stream":true}"#,
    r#"{"model":"m","max_tokens":10,"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA=="}}]},{"role":"assistant","content":[{"type":"thinking","thinking":"T","signature":"S"},{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"R","is_error":true}]}],"thinking":{"type":"enabled","budget_tokens":1024}}"#,
    r#"{"model":"m","instructions":"I","input":[{"role":"user","content":[{"type":"input_text","text":"T"}]},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"S"}],"encrypted_content":"E"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"O"},{"type":"item_reference","id":"msg_bw10123456789abcdef_0"}],"text":{"format":{"type":"json_schema","name":"n","schema":{}}},"previous_response_id":"resp_1"}"#,
    r#"{"model":"m","prompt":"P","max_tokens":5,"logprobs":2,"stream":true}"#,
    r#"{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"C","reasoning_content":"R","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#,
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"A\"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    r#"{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"thinking","thinking":"T","signature":"S"},{"type":"text","text":"A"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}"#,
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"A\"}}\n\nevent: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    r#"{"candidates":[{"content":{"parts":[{"text":"A","thought":true},{"text":"B"},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"S"}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1},"responseId":"r"}"#,
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"A\"}]}}]}\n\ndata: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"B\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{}}\n\n",
    r#"{"id":"resp_1","object":"response","status":"completed","output":[{"type":"reasoning","id":"rs","summary":[{"type":"summary_text","text":"S"}]},{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":"A","annotations":[]}]},{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":"{}"}],"usage":{"input_tokens":1,"output_tokens":1}}"#,
    "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"output\":[]}}\n\nevent: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"m\"}}\n\nevent: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"delta\":\"A\"}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"output\":[]}}\n\n",
];

const CLIENTS: [Dialect; 4] = [Dialect::Chat, Dialect::Completions, Dialect::Responses, Dialect::Messages];
const PROVIDERS: [Dialect; 4] = [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini];

pub const READERS: &[Reader] = &[
    Reader { name: "requests", read: requests },
    Reader { name: "answers", read: answers },
    Reader { name: "streams", read: streams },
    Reader { name: "errors", read: errors },
    Reader { name: "chunks put together", read: chunks },
];

fn manner() -> Manner {
    Manner { request: Rc::new(Request::new(Dialect::Chat)), include_usage: true, now: 1, seed: 1 }
}

/// A client's request, read in each dialect and written in each.
fn requests(input: &[u8]) -> usize {
    let text = String::from_utf8_lossy(input);
    let mut made = 0;
    for client in CLIENTS {
        let Ok(envelope) = Envelope::parse(client, &text) else { continue };
        made = made.max(envelope.opening().iter().map(|part| part.len()).sum());
        made = made.max(client.without_foreign(&text).map_or(0, |body| body.len()));
        made = made.max(chat::adapt(&text, "m", Quirks::default()).map_or(0, |adapted| adapted.body.len()));
        let Ok(body) = serde_json::from_str::<serde_json::Map<_, _>>(&text) else { continue };
        made = made.max(responses::references(&body).iter().map(String::len).sum());
        let Ok(request) = client.read(body) else { continue };
        for provider in PROVIDERS {
            for model in ["gpt-5", "claude-sonnet-4-5", "gemini-3-pro", "m"] {
                let (mut losses, to) = (Losses::new(), Recipient { model, quirks: Quirks::default() });
                made = made.max(provider.write(&request, &to, &mut losses).to_string().len());
            }
        }
    }
    made
}

/// A provider's whole answer, told to every client.
fn answers(input: &[u8]) -> usize {
    let text = String::from_utf8_lossy(input);
    let mut made = 0;
    for provider in PROVIDERS {
        std::hint::black_box(provider.classify_whole(&text));
        let Some(answer) = provider.decode(&text) else { continue };
        for client in CLIENTS {
            made = made.max(client.encode(answer.clone(), &manner()).to_string().len());
            let (mut encoder, mut frames) = (Encoder::new(client, manner()), String::new());
            let told = answer.clone().told().into_iter().try_for_each(|delta| encoder.delta(delta, &mut frames));
            std::hint::black_box(told);
            made = made.max(frames.len());
        }
    }
    made
}

/// A provider's stream, told to every client as it comes, and gathered.
fn streams(input: &[u8]) -> usize {
    let mut made = 0;
    for provider in PROVIDERS {
        let mut frames = Frames::default();
        let Ok(fed) = frames.feed(input) else { continue };
        let mut decoder = Decoder::new(provider);
        let mut deltas: Vec<Delta> = Vec::new();
        for frame in fed.frames() {
            let Some(data) = sse::data(frame) else { continue };
            std::hint::black_box((provider.classify_frame(frame, &data), provider.needs_a_look(frame, &data)));
            if decoder.event(&String::from_utf8_lossy(&data), &mut deltas).is_none() {
                break;
            }
        }
        decoder.end(&mut deltas);
        let mut gather = Gather::new();
        deltas.iter().cloned().for_each(|delta| gather.push(delta));
        made = made.max(gather.finish().map_or(0, |answer| format!("{answer:?}").len()));
        for client in CLIENTS {
            let (mut encoder, mut told) = (Encoder::new(client, manner()), String::new());
            std::hint::black_box(deltas.iter().cloned().try_for_each(|delta| encoder.delta(delta, &mut told)));
            made = made.max(told.len());
        }
    }
    made
}

fn errors(input: &[u8]) -> usize {
    let body = String::from_utf8_lossy(input);
    let about = About { target: "p/m", model: "m", direct: false };
    let verdict = judge(&about, &Evidence::ErrorInside { body: &body }, Timestamp::from_millis(1));
    verdict.said.map_or(0, |said| said.message.len())
}

fn chunks(input: &[u8]) -> usize {
    let mut assembly = chat::Assembly::new();
    for line in String::from_utf8_lossy(input).lines() {
        if let Some(data) = line.strip_prefix("data:") {
            assembly.push(data.trim());
        }
    }
    let Some(completion) = assembly.finish() else { return 0 };
    chat::replay(&completion, true).map_or(0, |events| events.len())
}
