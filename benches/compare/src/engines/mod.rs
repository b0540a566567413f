//! One file for each engine.

pub mod fastwebsockets;
#[cfg(target_arch = "x86_64")]
pub mod ideal;
pub mod ours;
pub mod reference;
pub mod sockudo;
pub mod soketto;
pub mod tokio_websockets;
pub mod tungstenite;
pub mod web_socket;
pub mod websocket_sans_io;
pub mod wtx;
pub mod yawc;

/// Expands `$each!(Engine)` for every engine, in the order of the tables.
#[macro_export]
macro_rules! for_each_engine {
    ($each:ident) => {
        $each!($crate::engines::reference::Memcpy);
        $each!($crate::engines::reference::SimdUtf8);
        #[cfg(target_arch = "x86_64")]
        {
            $each!($crate::engines::ideal::CopyXor);
            $each!($crate::engines::ideal::Ideal);
            $each!($crate::engines::ideal::IdealOwned);
        }
        $each!($crate::engines::ours::Ours);
        $each!($crate::engines::ours::OursOwned);
        $each!($crate::engines::ours::OursPrepared);
        $each!($crate::engines::tungstenite::Tungstenite);
        $each!($crate::engines::tokio_websockets::TokioWebsockets);
        $each!($crate::engines::fastwebsockets::Fastwebsockets);
        $each!($crate::engines::soketto::Soketto);
        $each!($crate::engines::yawc::Yawc);
        $each!($crate::engines::sockudo::Sockudo);
        $each!($crate::engines::web_socket::WebSocketCrate);
        $each!($crate::engines::websocket_sans_io::WebsocketSansIo);
        $each!($crate::engines::wtx::Wtx);
        $each!($crate::engines::wtx::WtxDeflate);
    };
}
