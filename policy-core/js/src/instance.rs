//! One instance of the module and its raw boundary: memory, `alloc`, `free` and `call`.

use js_sys::wasm_bindgen::{JsCast, JsValue};
use js_sys::{Function, Object, Reflect, Uint8Array, WebAssembly};
use policy_core::abi::ABI_VERSION;

use crate::error::{EngineError, thrown};

/// One instance. After any error it must not be used again: its memory may be half written.
pub(crate) struct Instance {
    memory: WebAssembly::Memory,
    alloc: Function,
    free: Function,
    call: Function,
}

impl Instance {
    /// Compiles these bytes and starts them.
    ///
    /// # Errors
    /// When the runtime refuses the bytes, or when they are not a module of this boundary.
    pub(crate) fn start(bytes: &[u8]) -> Result<Self, EngineError> {
        let refuse = |error: JsValue| EngineError::NotAModule(thrown(&error));
        // A copy that nobody else holds: what is compiled is what the caller has hashed.
        let module = WebAssembly::Module::new(&Uint8Array::new_from_slice(bytes)).map_err(refuse)?;
        let imports = WebAssembly::Module::imports(&module).length();
        if imports != 0 {
            return Err(EngineError::HasImports(imports));
        }
        let exports = WebAssembly::Instance::new(&module, &Object::new()).map_err(refuse)?.exports();
        let export = |name: &'static str| {
            let value = Reflect::get(&exports, &JsValue::from_str(name)).ok();
            value.filter(|value| !value.is_undefined()).ok_or(EngineError::MissingExport(name))
        };
        let function =
            |name: &'static str| export(name)?.dyn_into::<Function>().map_err(|_| EngineError::MissingExport(name));
        let memory = export("memory")?.dyn_into().map_err(|_| EngineError::MissingExport("memory"))?;
        let version = function("abi")?.call0(&JsValue::NULL).map_err(|error| EngineError::Trapped(thrown(&error)))?;
        let version = pointer(&version).ok_or(EngineError::MissingExport("abi"))?;
        if version != ABI_VERSION {
            return Err(EngineError::UnknownVersion(version.cast_signed()));
        }
        Ok(Self { memory, alloc: function("alloc")?, free: function("free")?, call: function("call")? })
    }

    /// One call: bytes in, bytes out. Both buffers are given back to the module.
    ///
    /// # Errors
    /// When the module traps or answers out of its memory.
    pub(crate) fn call(&self, op: i32, input: &[u8]) -> Result<Vec<u8>, EngineError> {
        let trap = |error: JsValue| EngineError::Trapped(thrown(&error));
        let length = u32::try_from(input.len())
            .ok()
            .filter(|length| *length <= i32::MAX.cast_unsigned())
            .ok_or_else(|| EngineError::BadInput("it is longer than 2 GiB".into()))?;
        let at = self.alloc.call1(&JsValue::NULL, &length.into()).map_err(trap)?;
        let at = pointer(&at).ok_or(EngineError::MissingExport("alloc"))?;
        self.view(at, length)?.copy_from(input);
        let (start, length_of_input) = (JsValue::from(at), JsValue::from(length));
        let packed = self.call.call3(&JsValue::NULL, &op.into(), &start, &length_of_input).map_err(trap)?;
        self.free.call2(&JsValue::NULL, &start, &length_of_input).map_err(trap)?;
        let packed = i64::try_from(packed).map_err(|_| EngineError::MissingExport("call"))?.cast_unsigned();
        if packed == 0 {
            return Err(EngineError::Trapped("it gave no answer".into()));
        }
        let (at, length) = ((packed >> 32) as u32, packed as u32);
        let answer = self.view(at, length)?.to_vec();
        self.free.call2(&JsValue::NULL, &at.into(), &length.into()).map_err(trap)?;
        Ok(answer)
    }

    /// A part of the module's memory. Made anew each time: a view dies when the memory grows.
    fn view(&self, at: u32, length: u32) -> Result<Uint8Array, EngineError> {
        let buffer = self.memory.buffer();
        let size = buffer.unchecked_ref::<js_sys::ArrayBuffer>().byte_length();
        match at.checked_add(length) {
            Some(end) if end <= size => Ok(Uint8Array::new_with_byte_offset_and_length(&buffer, at, length)),
            _ => Err(EngineError::BadAnswer("it points outside the module's memory".into())),
        }
    }
}

/// A Wasm `i32` as JavaScript sees it, a signed number, as the address that it is.
fn pointer(value: &JsValue) -> Option<u32> {
    value.as_f64().map(|number| (number as i32).cast_unsigned())
}
